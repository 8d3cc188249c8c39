"""`render --pass NAME`: passes of the renderer are switched by name, those of others too."""

from __future__ import annotations

import numpy as np
import pytest
from click.testing import CliRunner

from kinetoscope.cli import main
from kinetoscope.shot.settings import Output

CLIP = (
    "HIERARCHY\nROOT a\n{\nOFFSET 0 0 0\nCHANNELS 3 Xposition Yposition Zposition\nJOINT b\n{\nOFFSET 0 50 0\n"
    "CHANNELS 3 Zrotation Xrotation Yrotation\nEnd Site\n{\nOFFSET 0 50 0\n}\n}\n}\nMOTION\nFrames: 1\n"
    "Frame Time: 0.1\n0 50 0 0 0 0\n"
)


def test_a_minus_before_a_name_switches_off():
    assert Output(passes=("outline", "-ssao")).drawing() == {"passes": {"outline": True, "ssao": False}}
    assert Output(device="cpu").drawing() == {"device": "cpu"}
    assert Output().drawing() == {}  # a renderer of somebody else's may know no passes


@pytest.mark.gl
def test_passes_are_switched_on_the_command_line(tmp_path):
    from PIL import Image

    clip = tmp_path / "clip.bvh"
    clip.write_text(CLIP)

    def render(name, *options):
        asked = ["--size", "96x54", "--quality", "draft", "--provider", "deferred", *options]
        done = CliRunner().invoke(main, ["render", str(clip), str(tmp_path / name), *asked])
        return done, (np.asarray(Image.open(tmp_path / name)) if done.exit_code == 0 else None)

    _, plain = render("plain.png")
    _, lined = render("lined.png", "--pass", "outline")
    _, bare = render("bare.png", "--pass", "-ground", "--pass=-shadow")
    assert (lined.sum(axis=-1) < plain.sum(axis=-1)).sum() > 20
    assert (bare[-1] != plain[-1]).any()  # no floor at the bottom of the picture
    wrong, _ = render("wrong.png", "--pass", "outlin")
    assert wrong.exit_code == 1
    assert "did you mean 'outline'" in wrong.output
    assert not (tmp_path / "wrong.png").exists()
