"""The contracts of the hooks: laws that a provider is run through. Needs hypothesis (`[contracts]`).

    class TestMine(ImporterContract):
        provider = MyImporter()

is a test class for pytest and unittest; `check(TestMine)` runs it without either.
"""

from typing import TYPE_CHECKING

from kinetoscope_spec._lazy import lazy_attributes

if TYPE_CHECKING:
    from kinetoscope_spec.contracts import strategies
    from kinetoscope_spec.contracts._bounds import bounded_memory, bounded_time
    from kinetoscope_spec.contracts._check import LawResult, MutantResult, Report, check, check_mutants
    from kinetoscope_spec.contracts._contract import Contract
    from kinetoscope_spec.contracts._law import Law, law, require, run_law
    from kinetoscope_spec.contracts.detector import DetectorContract
    from kinetoscope_spec.contracts.feature import FeatureContract
    from kinetoscope_spec.contracts.gbuffer import DeferredContract
    from kinetoscope_spec.contracts.importer import ImporterContract, Sample
    from kinetoscope_spec.contracts.inpainter import InpainterContract
    from kinetoscope_spec.contracts.model import ModelContract
    from kinetoscope_spec.contracts.mutants import Mutant, Wrapper, mutant
    from kinetoscope_spec.contracts.renderer import RendererContract
    from kinetoscope_spec.contracts.temporal import TemporalContract
    from kinetoscope_spec.contracts.voice import VoiceContract

_HOMES = {
    "strategies": "strategies",
    **dict.fromkeys(("bounded_memory", "bounded_time"), "_bounds"),
    **dict.fromkeys(("LawResult", "MutantResult", "Report", "check", "check_mutants"), "_check"),
    "Contract": "_contract",
    **dict.fromkeys(("Law", "law", "require", "run_law"), "_law"),
    "DetectorContract": "detector",
    "FeatureContract": "feature",
    "InpainterContract": "inpainter",
    "ModelContract": "model",
    "DeferredContract": "gbuffer",
    "RendererContract": "renderer",
    "TemporalContract": "temporal",
    "VoiceContract": "voice",
    **dict.fromkeys(("ImporterContract", "Sample"), "importer"),
    **dict.fromkeys(("Mutant", "Wrapper", "mutant"), "mutants"),
}

__all__ = [
    "Contract",
    "DeferredContract",
    "DetectorContract",
    "FeatureContract",
    "ImporterContract",
    "InpainterContract",
    "Law",
    "LawResult",
    "ModelContract",
    "Mutant",
    "MutantResult",
    "RendererContract",
    "Report",
    "Sample",
    "TemporalContract",
    "VoiceContract",
    "Wrapper",
    "bounded_memory",
    "bounded_time",
    "check",
    "check_mutants",
    "law",
    "mutant",
    "require",
    "run_law",
    "strategies",
]

__getattr__, __dir__ = lazy_attributes(__name__, _HOMES)
