"""What stands in a file, written by hand, and where it must come out."""

from __future__ import annotations

import textwrap
from pathlib import Path

import numpy as np
import pytest

from kinetoscope_spec import Asset, FormatError, kinematics
from kinetoscope_usd.importer import UsdImporter


def read(tmp_path: Path, text: str, *, header: str = "", name: str = "clip.usda", **options: object) -> Asset:
    path = tmp_path / name
    path.write_text(f"#usda 1.0\n(\n{header}\n)\n{textwrap.dedent(text)}")
    return UsdImporter().read(path, **options)


TRIANGLE = """
    int[] faceVertexCounts = [3]
    int[] faceVertexIndices = [0, 1, 2]
    point3f[] points = [(0, 0, 0), (1, 0, 0), (0, 0, 1)]
"""


def test_prims_that_move_are_nodes(tmp_path: Path) -> None:
    asset = read(
        tmp_path,
        f"""
        def Xform "World" {{
            double3 xformOp:translate = (0, 0, 100)
            uniform token[] xformOpOrder = ["xformOp:translate"]
            def Xform "Wheel" {{
                double xformOp:rotateZ.timeSamples = {{ 0: 0, 12: 90, 24: 180 }}
                double3 xformOp:translate = (50, 0, 0)
                uniform token[] xformOpOrder = ["xformOp:translate", "xformOp:rotateZ"]
                def Mesh "Rim" {{ {TRIANGLE} }}
            }}
        }}
        """,
        header='upAxis = "Z"\nmetersPerUnit = 0.01\ntimeCodesPerSecond = 24\nframesPerSecond = 24',
    )
    assert asset.skeleton.names == ("World", "Wheel", "Rim")
    assert asset.metadata["axes"] == "+X+Z-Y"
    (motion,) = asset.motions
    assert (motion.frame_count, motion.framerate) == (25, 24)
    # (1, 0, 0) cm on the wheel, at its centre (50, 0, 100): Z up becomes Y up, and y becomes -z.
    for frame, (x, y) in ((0, (51, 0)), (12, (50, 1)), (24, (49, 0)), (6, (50 + 0.5**0.5, 0.5**0.5))):
        at = kinematics.skinned_vertices(asset, 0, 0, frame)[1]
        np.testing.assert_allclose(at, [x / 100, 1.0, -y / 100], atol=1e-6)


def test_a_frame_rate_that_is_asked_for(tmp_path: Path) -> None:
    text = """
    def Xform "A" {
        double3 xformOp:translate.timeSamples = { 10: (0, 0, 0), 20: (10, 0, 0) }
        uniform token[] xformOpOrder = ["xformOp:translate"]
    }
    """
    header = "timeCodesPerSecond = 10\nframesPerSecond = 5"
    for options, rate in (({}, 5), ({"framerate": 20.0}, 20)):
        (motion,) = read(tmp_path, text, header=header, **options).motions
        assert (motion.framerate, motion.frame_count, motion.start_time) == (rate, rate + 1, 1.0)
        np.testing.assert_allclose(motion.positions[:, 0, 0] * 100, np.linspace(0, 10, rate + 1), atol=1e-5)


RIG = """
def SkelRoot "R" {
    def Skeleton "S" (prepend apiSchemas = ["SkelBindingAPI"]) {
        uniform token[] joints = ["b/c", "b", "b/c/x/d"]
        uniform token[] jointNames = ["a.b", "a b", "ä"]
        uniform matrix4d[] bindTransforms = [ ((1,0,0,0),(0,1,0,0),(0,0,1,0),(0,2,0,1)),
            ((1,0,0,0),(0,1,0,0),(0,0,1,0),(0,1,0,1)), ((1,0,0,0),(0,1,0,0),(0,0,1,0),(0,3,0,1)) ]
        BIND
    }
    def SkelAnimation "still" {
        uniform token[] joints = ["b/c"]
        float3[] translations = [(0, 5, 0)]
        quatf[] rotations = [(1, 0, 0, 0)]
        half3[] scales = [(1, 1, 1)]
    }
    def SkelAnimation "turn" (displayName = "tu rn") {
        uniform token[] joints = ["b"]
        quatf[] rotations.timeSamples = { 0: [(1, 0, 0, 0)], 1: [(0, 0, 0, 3)], 2: [(0, 0, 0, 0)] }
    }
    def SkelAnimation "other" {
        uniform token[] joints = ["wing"]
    }
}
"""


def test_joints_in_any_order_names_of_any_letters_and_clips_bound_to_nothing(tmp_path: Path) -> None:
    asset = read(
        tmp_path, RIG.replace("BIND", "rel skel:animationSource = </R/turn>"), header="metersPerUnit = 1"
    )
    skeleton = asset.skeleton
    assert skeleton.names == ("a b", "a.b", "ä")
    assert skeleton.parents.tolist() == [-1, 0, 1]
    np.testing.assert_allclose(skeleton.rest_positions, [[0, 1, 0]] * 3)  # from the bind pose
    assert [motion.name for motion in asset.motions] == ["tu rn", "still"]
    turn, still = asset.motions
    assert turn.frame_count == 3
    np.testing.assert_allclose(turn.rotations[1, 0], [0, 0, 1, 0], atol=1e-7)
    np.testing.assert_allclose(turn.rotations[2, 0], [0, 0, 0, 1])  # of no length: none
    np.testing.assert_allclose(still.positions[0], [[0, 1, 0], [0, 5, 0], [0, 1, 0]])
    told = " ".join(asset.warnings)
    for word in ("restTransforms", "no translations", "/R/other"):
        assert word in told


def test_several_figures_play_at_once(tmp_path: Path) -> None:
    figure = """
    def SkelRoot "F{n}" {{
        double3 xformOp:translate = ({n}, 0, 0)
        uniform token[] xformOpOrder = ["xformOp:translate"]
        def Skeleton "S" (prepend apiSchemas = ["SkelBindingAPI"]) {{
            uniform token[] joints = ["hip"]
            uniform matrix4d[] bindTransforms = [((1,0,0,0),(0,1,0,0),(0,0,1,0),(0,0,0,1))]
            uniform matrix4d[] restTransforms = [((1,0,0,0),(0,1,0,0),(0,0,1,0),(0,0,0,1))]
            rel skel:animationSource = </F{n}/A>
        }}
        def SkelAnimation "A" {{
            uniform token[] joints = ["hip"]
            float3[] translations.timeSamples = {{ 0: [(0, 0, 0)], 1: [(0, {n}, 0)] }}
            quatf[] rotations = [(1, 0, 0, 0)]
            half3[] scales = [(1, 1, 1)]
            uniform token[] blendShapes = ["smile"]
            float[] blendShapeWeights = [0.{n}]
        }}
        def Mesh "M" (prepend apiSchemas = ["SkelBindingAPI"]) {{
            {triangle}
            rel skel:skeleton = </F{n}/S>
            int[] primvars:skel:jointIndices = [0] (interpolation = "constant")
            float[] primvars:skel:jointWeights = [1] (interpolation = "constant")
            uniform token[] skel:blendShapes = ["smile"]
            rel skel:blendShapeTargets = </F{n}/M/B>
            def BlendShape "B" {{
                uniform vector3f[] offsets = [(0, 0, 1), (0, 0, 1), (0, 0, 1)]
            }}
        }}
    }}
    """
    text = "".join(figure.format(n=n, triangle=TRIANGLE) for n in (1, 2))
    asset = read(tmp_path, text, header="metersPerUnit = 1")
    assert asset.skeleton.names == ("F1", "hip", "F2", "hip_2")
    (motion,) = asset.motions
    for mesh, n in ((0, 1), (1, 2)):
        for frame in (0, 1):
            at = kinematics.skinned_vertices(asset, mesh, 0, frame)[0]
            np.testing.assert_allclose(at, [n, n * frame, n / 10], atol=1e-6)
    assert set(motion.morph_weights) == {"smile", "S/smile"}


def test_polygons_holes_and_left_hands(tmp_path: Path) -> None:
    mesh = """
    def Mesh "M" {{
        int[] faceVertexCounts = [4, 3, 5]
        int[] faceVertexIndices = [0, 1, 2, 3, 0, 1, 2, 0, 1, 2, 3, 4]
        int[] holeIndices = [1]
        point3f[] points = [(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0), (-1, 0.5, 0)]
        uniform token orientation = "{hand}"
        texCoord2f[] primvars:st = [(0, 0), (1, 0.25)] (interpolation = "faceVarying")
        int[] primvars:st:indices = [0, 1, 1, 1, 0, 0, 0, 1, 1, 1, 1, 0]
        color3f[] primvars:displayColor = [(1, 0, 0), (0, 1, 0), (0, 0, 1)] (interpolation = "uniform")
    }}
    """
    for hand, step in (("rightHanded", 1), ("leftHanded", -1)):
        (found,) = read(tmp_path, mesh.format(hand=hand), header="metersPerUnit = 1").meshes
        wanted = [[0, 1, 2], [0, 2, 3], [0, 1, 2], [0, 2, 3], [0, 3, 4]]
        assert found.corner_vertex[found.faces].tolist() == [row[::step] for row in wanted]
        assert found.uvs is not None
        assert found.colors is not None
        corners = found.faces[:, ::step]
        np.testing.assert_allclose(found.uvs[corners[0]], [[0, 1], [1, 0.75], [1, 0.75]])
        np.testing.assert_allclose(found.colors[corners[:, 0]][:, :3], np.eye(3)[[0, 0, 2, 2, 2]])


def test_in_betweens_and_points_that_a_shape_leaves_alone(tmp_path: Path) -> None:
    asset = read(
        tmp_path,
        f"""
        def Mesh "M" (prepend apiSchemas = ["SkelBindingAPI"]) {{
            {TRIANGLE}
            uniform token[] skel:blendShapes = ["up"]
            rel skel:blendShapeTargets = </M/B>
            def BlendShape "B" {{
                uniform vector3f[] offsets = [(0, 1, 0)]
                uniform int[] pointIndices = [2]
                uniform vector3f[] inbetweens:half = [(0, 3, 0)] (weight = 0.5)
            }}
        }}
        """,
        header="metersPerUnit = 1",
    )
    (mesh,) = asset.meshes
    assert mesh.morph_peaks is not None
    assert (mesh.morph_names, mesh.morph_peaks.tolist()) == (("up", "up"), [0.5, 1.0])
    for weight, height in ((0.25, 1.5), (0.5, 3), (0.75, 2), (1, 1)):
        moved = kinematics.morphed_vertices(mesh, {"up": weight}) - mesh.vertices
        np.testing.assert_allclose(moved, [[0, 0, 0], [0, 0, 0], [0, height, 0]])


def test_references_beside_the_file_are_followed(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    part = f'def Xform "P" {{\ndef Mesh "M" {{ {TRIANGLE} }}\n}}'
    read(tmp_path / "parts", part, name="part.usda", header='defaultPrim = "P"')
    text = """
    def Xform "A" (
        instanceable = true
        prepend references = @./parts/part.usda@
    ) {
    }
    def Xform "B" (prepend references = @./missing.usda@) {
    }
    """
    asset = read(tmp_path, text)
    assert len(asset.meshes) == 1
    assert "missing.usda" in " ".join(asset.warnings)


def test_a_suffix_that_says_something_else(tmp_path: Path) -> None:
    text = f'def Mesh "M" {{ {TRIANGLE} }}'
    for name in ("clip.usdc", "clip.bin", "clip[1].usda", "a:b.usda", "clip.usd", "CLIP.USDA"):
        assert len(read(tmp_path, text, name=name).meshes) == 1


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (("[3]", "[4]"), "faceVertexCounts of /M"),
        (("[0, 1, 2]", "[0, 1, 3]"), "faceVertexIndices of /M"),
        (("(1, 0, 0)", "(nan, 0, 0)"), "finite"),
    ],
)
def test_meshes_that_do_not_add_up(tmp_path: Path, change: tuple[str, str], word: str) -> None:
    with pytest.raises(FormatError, match=word):
        read(tmp_path, f'def Mesh "M" {{ {TRIANGLE.replace(*change)} }}')


def test_what_is_left_out_is_said(tmp_path: Path) -> None:
    asset = read(
        tmp_path,
        f"""
        def Cube "C" {{}}
        def PointInstancer "P" {{}}
        def Mesh "G" {{ uniform token purpose = "guide" {TRIANGLE} }}
        def Mesh "S" {{ uniform token subdivisionScheme = "catmullClark" {TRIANGLE} }}
        def Mesh "E" {{}}
        """.replace('"guide" ', '"guide"\n').replace('"catmullClark" ', '"catmullClark"\n'),
    )
    assert [mesh.name for mesh in asset.meshes] == ["S"]
    told = " ".join(asset.warnings)
    for word in ("Cube", "/P", "guide", "subdivision", "/E has no face"):
        assert word in told


def test_a_character_that_is_instanced(tmp_path: Path) -> None:
    figure = f"""
    def SkelRoot "F" {{
        def Skeleton "S" (prepend apiSchemas = ["SkelBindingAPI"]) {{
            uniform token[] joints = ["hip"]
            uniform matrix4d[] bindTransforms = [((1,0,0,0),(0,1,0,0),(0,0,1,0),(0,0,0,1))]
            uniform matrix4d[] restTransforms = [((1,0,0,0),(0,1,0,0),(0,0,1,0),(0,0,0,1))]
            rel skel:animationSource = </F/A>
        }}
        def SkelAnimation "A" {{
            uniform token[] joints = ["hip"]
            float3[] translations.timeSamples = {{ 0: [(0, 0, 0)], 1: [(0, 1, 0)] }}
            quatf[] rotations = [(1, 0, 0, 0)]
            half3[] scales = [(1, 1, 1)]
        }}
        def Mesh "M" (prepend apiSchemas = ["SkelBindingAPI"]) {{
            {TRIANGLE}
            rel skel:skeleton = </F/S>
            int[] primvars:skel:jointIndices = [0, 0, 0] (interpolation = "vertex")
            float[] primvars:skel:jointWeights = [1, 1, 1] (interpolation = "vertex")
        }}
    }}
    """
    read(tmp_path, figure, name="figure.usda", header='defaultPrim = "F"\nmetersPerUnit = 1')
    one = """
    def "I{n}" (
        instanceable = true
        prepend references = @./figure.usda@
    ) {{
        double3 xformOp:translate = ({n}, 0, 0)
        uniform token[] xformOpOrder = ["xformOp:translate"]
    }}
    """
    asset = read(tmp_path, "".join(one.format(n=n) for n in (3, 5)), header="metersPerUnit = 1")
    assert [mesh.skin is not None for mesh in asset.meshes] == [True, True]
    for mesh, n in ((0, 3), (1, 5)):
        at = kinematics.skinned_vertices(asset, mesh, 0, 1)[0]
        np.testing.assert_allclose(at, [n, 1, 0], atol=1e-6)


def test_one_colour_for_a_whole_mesh_is_its_material(tmp_path: Path) -> None:
    color = 'color3f[] primvars:displayColor = [(1, 0.5, 0.25)] (interpolation = "constant")'
    meshes = "".join(f'def Mesh "{name}" {{ {TRIANGLE} }}\n' for name in "MN")
    asset = read(tmp_path, f'def Xform "A" {{\n{color}\n{meshes}}}')
    assert [mesh.colors for mesh in asset.meshes] == [None, None]
    (material,) = asset.materials
    np.testing.assert_allclose(material.base_color, [1, 0.5, 0.25, 1])
