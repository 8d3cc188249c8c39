"""Passes of others: where they stand, what they may do, and what is said of one that is wrong."""

from __future__ import annotations

from types import SimpleNamespace
from uuid import uuid4

import attrs
import numpy as np
import pytest

import kinetoscope_deferred
from kinetoscope import Host
from kinetoscope_deferred import hooks
from kinetoscope_deferred.graph import arrange, check_inputs
from kinetoscope_deferred.hooks import RenderPassContract, ScreenPass
from kinetoscope_deferred.passes.outline import outline
from kinetoscope_deferred.quality import quality
from kinetoscope_deferred.renderer import DeferredRenderer
from kinetoscope_deferred.session import frame_graph
from kinetoscope_spec import Camera, ConfigError, Ground, PluginError
from kinetoscope_spec.contracts import check

FRONT = Camera((0, 0, 4), (0, 0, 0))
SIZE = (64, 36)

INVERT = """
uniform sampler2D picture_texture;
layout(location = 0) out vec4 color;
void main() {
    color = texelFetch(picture_texture, ivec2(gl_FragCoord.xy), 0);
    color.rgb = 1.0 - color.rgb;
}
"""


class TestOutline(RenderPassContract):
    provider = outline()


def made(**kwargs):
    given = {"name": "mine", "package": "acme", "fragment": "mine.frag", "reads": ("picture",)}
    if not {"after", "before", "replaces"} & set(kwargs):
        given["after"] = "tonemap"
    return ScreenPass(**(given | kwargs))


def names(*added):
    return [step.name for step in arrange(frame_graph(), added)]


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Write shaders into a package of somebody else's, which each test has anew."""
    name = f"acme_{uuid4().hex}"
    folder = tmp_path / name
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)

    def write(file, text):
        (folder / file).write_text(text)
        return made(package=name, fragment=file)

    return write


def test_passes_stand_where_they_say():
    own = names()
    at = own.index("tonemap")
    assert names(made()) == [*own[: at + 1], "mine", *own[at + 1 :]]
    before = made(name="early", before="tonemap", reads=("hdr",))
    assert names(before) == [*own[:at], "early", *own[at:]]
    # Of several, the first that is given stands nearest.
    assert names(made(name="a"), made(name="b"))[at : at + 3] == ["tonemap", "a", "b"]
    # One may stand after another, in whatever order they are given.
    assert names(made(name="b", after="a"), made(name="a"))[at : at + 3] == ["tonemap", "a", "b"]
    # What replaces a pass has its name, and so its switch.
    assert names(made(replaces="bloom", writes=("glow",), reads=("hdr",), formats={"glow": (4, "f2")})) == own


@pytest.mark.parametrize(
    ("added", "said"),
    [
        ([made(after="tonemapp")], "after is 'tonemapp', expected one of shadow, .*did you mean 'tonemap'"),
        ([made(before="fxaa", after="tonemap")], "names after and before of after, before, replaces"),
        ([attrs.evolve(made(), after=None)], "names none of after, before, replaces"),
        ([made(name="ssao")], "'ssao' has the name of another pass"),
        ([made(), made()], "'mine' has the name of another pass"),
        ([made(after="bloom")], "reads 'picture', which no pass before it writes; there are .*albedo"),
        ([made(reads=("piktur",))], "reads 'piktur'.*did you mean 'picture'"),
        ([made(name="a", after="b"), made(name="b", after="a")], "wait for each other: 'a', 'b'"),
        ([made(replaces="geometry", writes=("albedo",))], "does not write normal, material, id, depth"),
        (
            [made(replaces="tonemap"), made(name="b", replaces="tonemap")],
            "'mine' and 'b' both replace 'tonemap'",
        ),
        ([SimpleNamespace(name="x", reads=(), writes=("picture",), after="fxaa")], "has no method draw"),
        ([SimpleNamespace(name="x", reads="id", writes=("picture",))], "reads is 'id', expected names"),
        ([SimpleNamespace(name="x", reads=(), writes=())], "writes is empty"),
        ([SimpleNamespace(reads=())], "has the name None"),
    ],
)
def test_what_fits_nowhere_is_said_before_a_driver_starts(added, said, monkeypatch):
    monkeypatch.setattr(
        "kinetoscope_deferred.renderer.open_context", lambda _: pytest.fail("a driver was started")
    )
    with pytest.raises(ConfigError, match=said):
        DeferredRenderer().open(SIZE, add=added)


def test_reading_what_is_switched_off_is_said():
    graph = arrange(frame_graph(), [made(reads=("glow",))])
    preset = attrs.evolve(quality("medium"), passes=quality("medium").passes | {"mine"})
    check_inputs(graph, preset)
    off = attrs.evolve(preset, passes=preset.passes - {"bloom"})
    with pytest.raises(
        ConfigError, match="'mine' reads 'glow', which bloom writes, and that is switched off"
    ):
        check_inputs(graph, off)
    # A pass that is off itself may stand where it could not run.
    check_inputs(graph, attrs.evolve(off, passes=off.passes - {"mine"}))


def test_a_screen_pass_draws_into_what_has_a_format():
    with pytest.raises(ConfigError, match=r"'mine' writes 'veil', expected one of albedo, .*formats"):
        made(writes=("veil",))
    assert made(writes=("veil",), formats={"veil": (1, "f1")}).writes == ("veil",)


@pytest.mark.gl
def test_a_shader_of_another_package_changes_the_picture(sessions, kit, package):
    invert = package("invert.frag", INVERT)
    scene = kit.scene(kit.actor(*kit.sphere(0.8, 16)))
    plain = sessions(size=SIZE, fxaa=False).render(scene, FRONT).color
    with DeferredRenderer().open(SIZE, passes={"fxaa": False}, add=[invert]) as session:
        color = session.render(scene, FRONT).color
        again = session.render(scene, FRONT).color
    np.testing.assert_array_equal(color[..., :3], 255 - plain[..., :3])
    np.testing.assert_array_equal(again, color)
    assert np.ptp(plain[..., 0]) > 20


@pytest.mark.gl
def test_a_pass_that_replaces_another_is_lit_from(sessions, kit, package):
    """Ambient occlusion of nothing at all, in the place of ours: the picture is that with none."""
    sessions()

    class Open:
        name, reads, writes, replaces = "open", ("depth",), ("occlusion",), "ssao"

        def draw(self, device, view, preset):
            half = (-(-view.size[0] // 2), -(-view.size[1] // 2))
            texture = device.texture("occlusion", 2, "f4", size=half)
            texture.write(np.tile(np.float32([1.0, 4.0]), half[0] * half[1]).tobytes())
            return {"open.pixels": half[0] * half[1]}

    scene = kit.scene(kit.actor(*kit.sphere(0.5, 16)), ground=Ground(height=-0.5))
    plain = sessions("draft", size=SIZE).render(scene, FRONT).color
    with DeferredRenderer().open(SIZE, "draft", add=[Open()]) as session:
        frame = session.render(scene, FRONT)
    assert frame.work["open.pixels"] == 32 * 18
    assert "ssao.pixels" not in frame.work
    assert np.abs(frame.color.astype(int) - plain).max() <= 1


@pytest.mark.gl
@pytest.mark.parametrize(
    ("shader", "said"),
    [
        ("void main() { nonsense; }", "'mine' failed: Error: GLSL Compiler failed"),
        ('#include "nowhere.glsl"\n' + INVERT, "'mine' failed: ConfigError: no shader 'nowhere.glsl' in"),
    ],
)
def test_a_broken_shader_names_its_pass(sessions, kit, package, shader, said):
    sessions()
    with DeferredRenderer().open(SIZE, add=[package("broken.frag", shader)]) as session:
        with pytest.raises(PluginError, match=said) as caught:
            session.render(kit.scene(), FRONT)
        assert len(str(caught.value).splitlines()) < 12


@pytest.mark.gl
def test_what_a_pass_leaves_behind_is_said_or_mended(sessions, kit):
    sessions()

    class Mine:
        name, reads, writes, after = "mine", ("depth",), ("veil",), "lighting"

    class Idle(Mine):
        def draw(self, device, view, preset):
            return {}

    class Careless(Mine):
        def draw(self, device, view, preset):
            device.texture("veil", 1, "f1")
            device.context.enable(device.context.BLEND)
            device.context.front_face = "cw"
            device.context.depth_func = ">"
            return {}

    with (
        DeferredRenderer().open(SIZE, add=[Idle()]) as session,
        pytest.raises(PluginError, match="'mine' says it writes 'veil', but made no such texture"),
    ):
        session.render(kit.scene(), FRONT)
    scene = kit.scene(kit.actor(*kit.sphere(0.8, 16)), ground=Ground(height=-0.5))
    plain = sessions(size=SIZE).render(scene, FRONT).color
    with DeferredRenderer().open(SIZE, add=[Careless()]) as session:
        for _ in range(2):  # the second frame meets what the first has left
            np.testing.assert_array_equal(session.render(scene, FRONT).color, plain)


@pytest.mark.gl
def test_outlines_stand_where_things_end(sessions, kit):
    """Dark at the rim of a ball, which ids tell; nothing on its front, on the floor or in the background."""
    sessions()
    scene = kit.scene(kit.actor(*kit.sphere(0.8, 24)), ground=Ground(height=-0.9))
    options = {"fxaa": False}
    with DeferredRenderer().open((160, 90), passes=options, buffers=("id",)) as session:
        plain = session.render(scene, FRONT)
    with DeferredRenderer().open((160, 90), passes=options, add=[outline()]) as session:
        lined = session.render(scene, FRONT).color
    inside = np.pad(plain.buffers["id"] == 1, 1)
    around = [inside[1:-1, :-2], inside[1:-1, 2:], inside[:-2, 1:-1], inside[2:, 1:-1]]
    rim = np.any([side != inside[1:-1, 1:-1] for side in around], axis=0)
    changed = (lined != plain.color).any(axis=-1)
    assert changed[rim].all()
    rows, columns = np.nonzero(changed & ~rim)
    at = np.stack(np.nonzero(rim), axis=1)
    far = [np.abs(at - (row, column)).max(axis=1).min() for row, column in zip(rows, columns, strict=True)]
    assert max(far, default=0) <= 3  # folds beside the rim, where the ball turns away
    assert lined[rim][:, :3].max() < 40


@pytest.mark.gl
def test_the_host_finds_a_pass_and_names_a_wrong_one(sessions, kit):
    sessions()
    with Host(plugins=[hooks, kinetoscope_deferred], autoload=False) as host:
        renderer = host.provider("renderer", "deferred")
        with renderer.open(SIZE, passes={"outline": True}) as session:
            assert [step.name for step in session.passes].count("outline") == 1
        with renderer.open(SIZE, passes={"outline": False}) as session:
            assert "outline" not in [step.name for step in session.passes]
        with pytest.raises(ConfigError, match=r"hook render_pass.*did you mean 'outline'"):
            renderer.open(SIZE, passes={"outlin": True})
        with pytest.raises(ConfigError, match=r"hook render_pass.*did you mean 'outline'"):
            renderer.open(SIZE, passes={"outlin": False})


@pytest.mark.gl
@pytest.mark.parametrize(
    "mutant", RenderPassContract.known_mutants(), ids=lambda mutant: mutant.wrap.__name__
)
def test_its_law_notices_a_mutant_and_no_other_does(sessions, mutant):
    sessions()
    report = check(
        RenderPassContract.of(mutant.wrap(outline()), name="mutant"), examples=12, seed=0, shrink=False
    )
    assert [result.law for result in report.broken] == [mutant.law]
