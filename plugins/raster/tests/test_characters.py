"""Real characters, with up to eight influences a vertex, against the renderer on OpenGL."""

import os
from pathlib import Path

import numpy as np
import pytest

from kinetoscope_raster.renderer import RasterRenderer
from kinetoscope_spec import Actor, Camera, Ground, ProviderUnavailable, Scene

DATA = os.environ.get("KINETOSCOPE_DATA")


@pytest.mark.realdata
@pytest.mark.gl
@pytest.mark.skipif(DATA is None, reason="KINETOSCOPE_DATA is not set")
@pytest.mark.parametrize("name", ["geno", "cranberry"])
def test_a_bent_character_is_the_same_on_opengl(name):
    glb = pytest.importorskip("kinetoscope_glb.importer")
    deferred = pytest.importorskip("kinetoscope_deferred.renderer")
    path = Path(str(DATA)) / "characters" / f"{name}.glb"
    if not path.exists():
        pytest.skip(f"{path.name} is not there")
    character = glb.GlbImporter().read(path).character()
    pose = np.array(character.skeleton.rest_matrices())
    # Every node turns a little about its own axis, so that every weight counts.
    turn = np.eye(4)
    turn[:3, :3] = [[np.cos(0.2), 0, np.sin(0.2)], [0, 1, 0], [-np.sin(0.2), 0, np.cos(0.2)]]
    pose = pose @ turn
    places = pose[:, :3, 3]
    middle = (places.min(axis=0) + places.max(axis=0)) / 2
    camera = Camera(position=middle + np.array([0.8, 0.6, 2.4]), target=middle)
    scene = Scene(actors=(Actor(character, pose, id=5),), ground=Ground())
    frames = []
    for renderer in (RasterRenderer, deferred.DeferredRenderer):
        try:
            with renderer().open((320, 180), "medium", buffers=("id", "depth", "normal")) as session:
                frames.append(session.render(scene, camera))
        except ProviderUnavailable as error:
            pytest.skip(f"no OpenGL driver: {error}")
    ours, theirs = (frame.buffers for frame in frames)
    assert (ours["id"] == 5).mean() > 0.03
    assert (ours["id"] != theirs["id"]).mean() < 1e-3
    both = (ours["id"] == 5) & (theirs["id"] == 5)
    assert np.percentile(np.abs(ours["depth"][both] / theirs["depth"][both] - 1), 99) < 5e-4
    cosine = np.clip(np.sum(ours["normal"].astype(float) * theirs["normal"], axis=-1)[both], -1, 1)
    assert np.degrees(np.percentile(np.arccos(cosine), 98)) < 0.3
    off = np.abs(frames[0].color.astype(int) - frames[1].color).max(axis=-1)
    assert np.percentile(off, 90) <= 4
