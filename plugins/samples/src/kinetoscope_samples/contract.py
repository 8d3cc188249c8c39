"""What proves the importer `samples`: the contract of its hook, over recipes."""

from __future__ import annotations

from kinetoscope_samples.importer import SampleImporter
from kinetoscope_samples.recipe import Recipe, to_toml
from kinetoscope_spec.contracts import ImporterContract, Sample

__all__ = ["SampleContract"]

_RECIPES = (
    Recipe(seconds=0.5, framerate=10.0),
    Recipe(action="turn", seconds=0.7, framerate=15.0, seed=3),
    Recipe(action="idle", seconds=0.5, framerate=5.0, height=1.2),
)


class SampleContract(ImporterContract):
    """Recipes are read and not written."""

    provider = SampleImporter
    name = "samples"
    suffix = ".sample.toml"
    samples = tuple(Sample(to_toml(recipe).encode()) for recipe in _RECIPES)
