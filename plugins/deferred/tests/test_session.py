"""Opening, closing, options, caching, and what is said when something is wrong."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading

import numpy as np
import pytest

from kinetoscope_spec import (
    Actor,
    Camera,
    ConfigError,
    KinetoscopeError,
    ProviderUnavailable,
    ValidationError,
)
from kinetoscope_spec.protocols import Renderer, Session

FRONT = Camera((0, 0, 4), (0, 0, 0))


def test_importing_the_package_is_cheap():
    code = (
        "import sys, kinetoscope_deferred as d; p = d.providers()[0]; print(p.name, p.load, *p.requires);"
        "assert not {'numpy', 'moderngl'} & set(sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert out.startswith("deferred kinetoscope_deferred.renderer:DeferredRenderer module:moderngl")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"quality": "hihg"}, "did you mean 'high'"),
        ({"size": (0, 10)}, "width and height from 1"),
        ({"size": (10, 99999)}, "width and height from 1"),
        ({"size": 7}, "width and height from 1"),
        ({"passes": {"sao": True}}, "did you mean 'ssao'"),
        ({"buffers": ("dephts",)}, "did you mean 'depth'"),
        ({"buffer": ("depth",)}, "did you mean 'buffers'"),
    ],
)
def test_wrong_options_are_said(arguments, said):
    from kinetoscope_deferred.renderer import DeferredRenderer

    options = {"size": (16, 16), **arguments}
    with pytest.raises(ConfigError, match=said):
        DeferredRenderer().open(options.pop("size"), **options)


def test_a_missing_driver_names_the_packages(monkeypatch):
    import moderngl

    from kinetoscope_deferred.renderer import DeferredRenderer

    def fail(**_):
        raise Exception("libGL.so.1 not loaded")

    monkeypatch.setattr(moderngl, "create_context", fail)
    with pytest.raises(ProviderUnavailable, match=r"libGL\.so\.1 not loaded") as caught:
        DeferredRenderer().open((16, 16))
    if sys.platform.startswith("linux"):
        assert "libgl1-mesa-dri" in str(caught.value)
        assert "mesa-dri-drivers" in str(caught.value)


@pytest.mark.gl
def test_closing_twice_and_using_a_closed_session(sessions, kit):
    from kinetoscope_deferred.renderer import DeferredRenderer

    sessions()  # skips where there is no driver
    with DeferredRenderer().open((32, 18)) as session:
        assert isinstance(session, Session)
        assert isinstance(DeferredRenderer(), Renderer)
        assert session.render(kit.scene(), FRONT).color.shape == (18, 32, 4)
        assert session.driver
    session.close()
    session.close()
    with pytest.raises(KinetoscopeError, match="closed"):
        session.render(kit.scene(), FRONT)
    # Another session, older and open, is not disturbed.
    assert sessions().render(kit.scene(), FRONT).color.shape == (90, 160, 4)


@pytest.mark.gl
def test_a_session_belongs_to_its_thread(sessions, kit):
    session, said = sessions(), []

    def use():
        try:
            session.render(kit.scene(), FRONT)
        except KinetoscopeError as error:
            said.append(str(error))

    thread = threading.Thread(target=use)
    thread.start()
    thread.join()
    assert said
    assert "another thread" in said[0]


@pytest.mark.gl
def test_each_thread_may_open_its_own(sessions, kit):
    from kinetoscope_deferred.renderer import DeferredRenderer

    ball = kit.actor(*kit.sphere(0.8, 16))
    here = sessions(size=(64, 36)).render(kit.scene(ball), FRONT).color
    got = []

    def work():
        with DeferredRenderer().open((64, 36)) as session:
            got.append(session.render(kit.scene(ball), FRONT).color)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 2
    for color in got:
        np.testing.assert_array_equal(color, here)


@pytest.mark.gl
def test_meshes_stay_on_the_device_while_the_character_lives(sessions, kit):
    session = sessions(size=(64, 36))
    character = kit.character(*kit.sphere(0.5, 8))
    pose = np.eye(4)[None]
    before = session.uploads
    for i in range(3):
        moved = pose.copy()
        moved[0, 0, 3] = i
        session.render(kit.scene(Actor(character, moved), Actor(character, pose, id=2)), FRONT)
    assert session.uploads == before + 1
    held = len(session._cache._held)
    del character
    gc.collect()
    other = kit.character(*kit.sphere(0.5, 8))
    session.render(kit.scene(Actor(other, pose)), FRONT)
    assert session.uploads == before + 2
    assert len(session._cache._held) <= held


@pytest.mark.gl
def test_buffers_come_only_when_asked_for(sessions, kit):
    assert dict(sessions().render(kit.scene(), FRONT).buffers) == {}
    frame = sessions(buffers=("id", "depth")).render(kit.scene(), FRONT)
    assert set(frame.buffers) == {"id", "depth"}
    assert frame.buffers["id"].dtype == np.uint16
    assert frame.buffers["depth"].dtype == np.float32
    assert np.isinf(frame.buffers["depth"]).all()


@pytest.mark.gl
@pytest.mark.parametrize("size", [(1, 1), (3, 2), (37, 23), (5, 201)])
def test_odd_sizes(sessions, kit, size):
    from kinetoscope_deferred.renderer import DeferredRenderer

    sessions()
    names = ("depth", "normal", "albedo", "material", "id", "hdr", "final")
    with DeferredRenderer().open(size, "high", buffers=names) as session:
        frame = session.render(kit.scene(kit.actor(*kit.sphere(1.0, 12))), FRONT)
        assert session.device.context.error == "GL_NO_ERROR"
    assert frame.color.shape == (size[1], size[0], 4)
    assert all(buffer.shape[:2] == (size[1], size[0]) for buffer in frame.buffers.values())
    assert frame.buffers["id"][size[1] // 2, size[0] // 2] == 1


@pytest.mark.gl
@pytest.mark.parametrize("given", ["abc", [[1, 2, 3, 4]], [[0, float("nan")]], [[1]], {"points": None}])
def test_a_wrong_trajectory_is_said(sessions, kit, given):
    with pytest.raises(ValidationError, match="trajectory"):
        sessions().render(kit.scene(annotations={"trajectory": given}), FRONT)


@pytest.mark.gl
def test_no_error_is_left_behind(sessions, kit):
    session = sessions("high")
    session.render(kit.scene(kit.actor(*kit.sphere(1.0, 12))), FRONT)
    assert session.device.context.error == "GL_NO_ERROR"
