"""Files made to break a reader: each ends in one FormatError, soon, and with little memory."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from kinetoscope_spec import FormatError
from kinetoscope_usd import _sandbox as sandbox
from kinetoscope_usd import importer as module
from kinetoscope_usd._samples import ARM
from kinetoscope_usd.importer import UsdImporter

pytestmark = pytest.mark.timeout(90)

HEAD = "#usda 1.0\n"


def refused(path: Path, text: str | bytes) -> str:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(FormatError) as caught:
        UsdImporter().read(path)
    assert str(path) in str(caught.value)
    assert len(str(caught.value)) < 1000
    return str(caught.value)


@pytest.mark.parametrize(
    "asset", ["/etc/passwd", "../outside.usda", "./../outside.usda", "`${HOME}`", "deep/../../outside.usda"]
)
@pytest.mark.parametrize("arc", ["references", "payload", "subLayers"])
def test_layers_elsewhere_are_refused(tmp_path: Path, asset: str, arc: str) -> None:
    (tmp_path / "outside.usda").write_text(HEAD + 'def Xform "X" {}')
    (tmp_path / "home").mkdir()
    if arc == "subLayers":
        text = f"{HEAD}(\n subLayers = [@{asset}@]\n)\n"
    else:
        text = f'{HEAD}def "X" (\n prepend {arc} = @{asset}@</X>\n) {{\n}}\n'
    told = refused(tmp_path / "home" / "clip.usda", text)
    assert "refers to" in told


def test_a_link_that_leads_elsewhere_is_refused(tmp_path: Path) -> None:
    (tmp_path / "outside.usda").write_text(HEAD + 'def Xform "X" {}')
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "link.usda").symlink_to(tmp_path / "outside.usda")
    told = refused(tmp_path / "home" / "clip.usda", f"{HEAD}(\n subLayers = [@./link.usda@]\n)\n")
    assert "link.usda" in told


def test_textures_elsewhere_are_left_out(tmp_path: Path) -> None:
    from PIL import Image

    Image.new("RGB", (2, 2)).save(tmp_path / "secret.png")
    (tmp_path / "home").mkdir()
    path = tmp_path / "home" / "clip.usda"
    path.write_text(
        HEAD
        + """
def Mesh "M" (prepend apiSchemas = ["MaterialBindingAPI"]) {
    int[] faceVertexCounts = [3]
    int[] faceVertexIndices = [0, 1, 2]
    point3f[] points = [(0, 0, 0), (1, 0, 0), (0, 0, 1)]
    rel material:binding = </L>
}
def Material "L" {
    token outputs:surface.connect = </L/S.outputs:surface>
    def Shader "S" {
        uniform token info:id = "UsdPreviewSurface"
        color3f inputs:diffuseColor.connect = </L/T.outputs:rgb>
        token outputs:surface
    }
    def Shader "T" {
        uniform token info:id = "UsdUVTexture"
        asset inputs:file = @../secret.png@
        float3 outputs:rgb
    }
}
"""
    )
    asset = UsdImporter().read(path)
    assert asset.materials[0].base_color_image is None
    assert "secret.png" in " ".join(asset.warnings)


def test_value_clips_are_refused(tmp_path: Path) -> None:
    text = """def "X" (
    clips = { dictionary default = {
        asset[] assetPaths = [@./values.usda@]
        string primPath = "/X"
        double2[] active = [(0, 0)]
        double2[] times = [(0, 0)]
    } }
) {
}
"""
    assert "value clips" in refused(tmp_path / "clip.usda", HEAD + text)


@pytest.mark.parametrize(
    ("opening", "closing"),
    [
        ('def Xform "a" {\n', "}\n"),
        ("dictionary a = {\n", "}\n"),
    ],
)
def test_deep_nesting(tmp_path: Path, opening: str, closing: str) -> None:
    start = 'def "a" (\ncustomData = {\n' if opening.startswith("dict") else ""
    end = "}\n) {\n}\n" if start else ""
    refused(tmp_path / "deep.usda", HEAD + start + opening * 100_000 + closing * 100_000 + end)


def test_instances_of_instances_of_instances(tmp_path: Path) -> None:
    layers = [HEAD, 'def Xform "A0" { def Xform "x" {} }\n'.replace("{ ", "{\n").replace(" }", "\n}")]
    for i in range(1, 9):
        copies = "".join(
            f'def "c{k}" (\ninstanceable = true\nprepend references = </A{i - 1}>\n) {{\n}}\n'
            for k in range(12)
        )
        layers.append(f'def Xform "A{i}" {{\n{copies}}}\n')
    assert "expected" in refused(tmp_path / "many.usda", "".join(layers))


def test_time_samples_far_apart(tmp_path: Path) -> None:
    text = ARM.replace(b"1: [(1,0,0,0)", b"1e15: [(1,0,0,0)")
    assert "frames" in refused(tmp_path / "long.usda", text)
    assert "frames" in refused(tmp_path / "long.usda", ARM.replace(b"1: [(1,0,0,0)", b"1e308: [(1,0,0,0)"))


def test_values_that_are_stored_once_for_many_frames(tmp_path: Path) -> None:
    from pxr import Usd, UsdSkel, Vt

    path = tmp_path / "shared.usdc"
    stage = Usd.Stage.CreateNew(str(path))
    joints = [f"j{i}" for i in range(4000)]
    skeleton = UsdSkel.Skeleton.Define(stage, "/S")
    skeleton.CreateJointsAttr(joints)
    skeleton.CreateRestTransformsAttr(Vt.Matrix4dArray.FromNumpy(np.tile(np.eye(4), (4000, 1, 1))))
    clip = UsdSkel.Animation.Define(stage, "/A")
    clip.CreateJointsAttr(joints)
    same = Vt.Vec3fArray.FromNumpy(np.zeros((4000, 3), np.float32))
    translations = clip.CreateTranslationsAttr()
    for frame in range(20_000):
        translations.Set(same, frame)
    UsdSkel.BindingAPI.Apply(skeleton.GetPrim()).CreateAnimationSourceRel().SetTargets(["/A"])
    stage.GetRootLayer().Save()
    data = path.read_bytes()
    assert len(data) < 1_000_000
    assert "frames" in refused(path, data)


def test_joints_that_are_their_own_ancestors_do_not_exist_but_doubles_do(tmp_path: Path) -> None:
    assert "twice" in refused(tmp_path / "a.usda", ARM.replace(b'"a/b/c"]', b'"a/b"]', 1))
    assert "weights" in refused(tmp_path / "a.usda", ARM.replace(b"[1, 1, 1] (", b"[1, 1] ("))
    assert "go beyond" in refused(tmp_path / "a.usda", ARM.replace(b"[0, 2, 1] (", b"[0, 2, 9] ("))
    assert "finite" in refused(tmp_path / "a.usda", ARM.replace(b"(50,0,140,1)", b"(nan,0,140,1)"))
    assert "metersPerUnit" in refused(tmp_path / "a.usda", ARM.replace(b"0.01", b"0"))
    assert ":8" in refused(tmp_path / "a.usda", ARM.replace(b"def Skeleton", b"def Skeleton Skeleton"))


def test_a_crate_that_says_it_holds_more_than_there_is(tmp_path: Path) -> None:
    path = tmp_path / "figure.usdc"
    (tmp_path / "a.usda").write_bytes(ARM)
    UsdImporter().write(UsdImporter().read(tmp_path / "a.usda"), path)
    whole = path.read_bytes()
    ends = {"asset": 0, "error": 0}
    rng = np.random.default_rng(0)
    patches = (b"\xff" * 8, bytes(8), b"\xff\xff\xff\x7f" + bytes(4), b"\x01" * 8)
    for _ in range(60):
        data = bytearray(whole)
        at = int(rng.integers(0, len(data) - 8))
        data[at : at + 8] = patches[rng.integers(len(patches))]
        path.write_bytes(data)
        try:
            UsdImporter().read(path)
            ends["asset"] += 1
        except FormatError:
            ends["error"] += 1
    assert ends["asset"] > 2
    assert ends["error"] > 10


def test_the_process_that_reads_may_be_killed(tmp_path: Path) -> None:
    path = tmp_path / "arm.usda"
    path.write_bytes(ARM)
    importer = UsdImporter()
    before = importer.read(path)
    helper = module._SANDBOX._process
    assert helper is not None
    os.kill(helper.pid, signal.SIGKILL)
    assert importer.read(path) == before
    assert module._SANDBOX._process is not helper


def test_threads_read_at_once(tmp_path: Path) -> None:
    path = tmp_path / "arm.usda"
    path.write_bytes(ARM)
    importer, assets = UsdImporter(), []
    threads = [threading.Thread(target=lambda: assets.append(importer.read(path))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(assets) == 8
    assert all(asset == assets[0] for asset in assets)


@pytest.mark.parametrize(
    ("number", "word"),
    [
        (signal.SIGSEGV, "crashes"),
        (signal.SIGABRT, "crashes"),
        (signal.SIGXCPU, "longer"),
        (signal.SIGXFSZ, "more"),
    ],
)
def test_a_crash_of_the_library_is_an_error_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, word: str
) -> None:
    path = tmp_path / "arm.usda"
    path.write_bytes(ARM)
    die = f"import os, kinetoscope_usd._worker as w; w._handle = lambda _: os.kill(os.getpid(), {int(number)}); "
    monkeypatch.setattr(sandbox, "_START", sandbox._START.replace("from kinet", die + "from kinet"))
    box = sandbox.Sandbox()
    try:
        for _ in range(2):
            with pytest.raises(FormatError, match=word):
                box.run(path, {"kind": "usda", "framerate": None}, 1.0, 1 << 20)
    finally:
        box.close()


def test_ten_sparse_gigabytes_are_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "big.usda"
    with path.open("wb") as file:
        file.write(ARM)
        file.truncate(10 * 1024**3)
    with pytest.raises(FormatError, match="max_bytes"):
        UsdImporter().read(path)


def test_an_image_of_one_colour_that_unfolds(tmp_path: Path) -> None:
    import io

    from PIL import Image

    from kinetoscope_usd._images import decoded

    held = io.BytesIO()
    Image.new("1", (9_000, 9_000)).save(held, "PNG")
    assert len(held.getvalue()) < 100_000
    before = Image.MAX_IMAGE_PIXELS
    with pytest.raises(ValueError, match="pixels"):
        decoded(held.getvalue())
    assert before == Image.MAX_IMAGE_PIXELS, "Pillow's own limit is everybody's"


def test_many_nodes_of_one_name_cost_no_more_than_others(tmp_path: Path) -> None:
    count = 12_000
    path = tmp_path / "same.usda"
    joints = ", ".join(f'"p{i}/x"' for i in range(count))
    path.write_text(f'{HEAD}def Skeleton "S" {{\nuniform token[] joints = [{joints}]\n}}\n')
    asset = UsdImporter().read(path)
    assert len(asset.skeleton) == count
    assert f"{count - 1} joints have the name of another" in " ".join(asset.warnings)


def test_many_clips_of_many_joints(tmp_path: Path) -> None:
    joints = ", ".join(f'"x{i}"' for i in range(8000))
    clips = "".join(f'def SkelAnimation "A{i}" {{\n}}\n' for i in range(3000))
    text = f'{HEAD}def Skeleton "S" {{\nuniform token[] joints = [{joints}]\n}}\n{clips}'
    assert "more frames" in refused(tmp_path / "many.usda", text)


def test_a_pipe_in_place_of_a_layer_does_not_wait_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "pipe.usda")
    monkeypatch.setattr(module, "_SECONDS", 0.0)
    refused(tmp_path / "clip.usda", f"{HEAD}(\n subLayers = [@./pipe.usda@]\n)\n")


_FORKS = """
import os, sys
from kinetoscope_usd import importer as module

path = sys.argv[1]
asset = module.UsdImporter().read(path)
helper = module._SANDBOX._process
child = os.fork()
if child == 0:
    status = 1
    try:
        same = module.UsdImporter().read(path) == asset
        status = 0 if same and module._SANDBOX._process not in (None, helper) else 2
        module._SANDBOX.close()
    finally:
        os._exit(status)
assert os.waitpid(child, 0)[1] == 0
assert module.UsdImporter().read(path) == asset
assert module._SANDBOX._process is helper
"""


def test_a_fork_of_a_process_has_a_helper_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "arm.usda"
    path.write_bytes(ARM)
    # In a process of its own: what other tests have loaded here has threads, which do not survive a fork.
    subprocess.run([sys.executable, "-c", _FORKS, str(path)], check=True, timeout=120)


def test_limits_grow_with_the_layers_beside_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pxr import Usd, UsdGeom, Vt

    stage = Usd.Stage.CreateNew(str(tmp_path / "big.usdc"))
    mesh = UsdGeom.Mesh.Define(stage, "/M")
    points = np.random.default_rng(0).normal(size=(300_000, 3)).astype(np.float32)
    mesh.CreatePointsAttr(Vt.Vec3fArray.FromNumpy(points))
    mesh.CreateFaceVertexCountsAttr([3])
    mesh.CreateFaceVertexIndicesAttr([0, 1, 2])
    stage.GetRootLayer().Save()
    path = tmp_path / "clip.usda"
    path.write_text(f"{HEAD}(\n subLayers = [@./big.usdc@]\n)\n")
    monkeypatch.setattr(module, "_MEMORY", 4 << 20)  # less than the points alone
    assert len(UsdImporter().read(path).meshes[0].vertices) == 300_000


@pytest.mark.parametrize("memory", [2 << 20, 8 << 20], ids=["not even the file", "not what it unfolds to"])
def test_memory_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, memory: int) -> None:
    from pxr import Usd, UsdGeom, Vt

    path = tmp_path / "big.usdc"
    stage = Usd.Stage.CreateNew(str(path))
    mesh = UsdGeom.Mesh.Define(stage, "/M")
    mesh.CreatePointsAttr(Vt.Vec3fArray.FromNumpy(np.zeros((400_000, 3), np.float32)))
    mesh.CreateFaceVertexCountsAttr([3])
    mesh.CreateFaceVertexIndicesAttr([0, 1, 2])
    stage.GetRootLayer().Save()
    monkeypatch.setattr(module, "_MEMORY", memory)
    monkeypatch.setattr(module, "MEMORY_PER_BYTE", 0)
    with pytest.raises(FormatError, match="unfolds to more data"):
        UsdImporter().read(path)


def test_who_is_interrupted_while_waiting_gets_the_right_answer_next(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.usda")
    slow, good = tmp_path / "slow.usda", tmp_path / "arm.usda"
    slow.write_text(f"{HEAD}(\n subLayers = [@./pipe.usda@]\n)\n")
    good.write_bytes(ARM)
    importer = UsdImporter()
    asset = importer.read(good)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGUSR1, interrupt)
    try:
        threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGUSR1)).start()
        with pytest.raises(KeyboardInterrupt):
            importer.read(slow)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert importer.read(good) == asset
