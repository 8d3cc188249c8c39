"""What is fuzzed: each parser of ours, the errors it may raise, and files that it made itself.

A parser is handed bytes. Anything but its result or one of `errors` is a defect.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import numpy as np

from kinetoscope_spec import Asset, ConfigError, FormatError, Motion, Skeleton

__all__ = ["PACKAGES", "TARGETS", "Target"]


@attrs.frozen
class Target:
    """One parser.

    Attributes:
        name: what the command line calls it.
        parse: reads bytes.
        errors: what it may raise.
        seeds: files to begin with, made by our own writers.
    """

    name: str
    parse: Callable[[bytes], Any]
    errors: tuple[type[Exception], ...]
    seeds: Callable[[], Sequence[bytes]]

    def __call__(self, data: bytes) -> None:
        """Parse `data`; whatever else is raised than the errors that may be is a defect."""
        with suppress(*self.errors):
            self.parse(data)


def _with_file(suffix: str, read: Callable[[Path], Any]) -> Callable[[bytes], Any]:
    """Return a parser of bytes of a reader of files."""
    path = Path(tempfile.mkdtemp(prefix="kinetoscope-fuzz-")) / f"input{suffix}"

    def parse(data: bytes) -> Any:
        path.write_bytes(data)
        return read(path)

    return parse


def _bvh() -> Target:
    from kinetoscope_bvh.importer import BvhImporter

    importer = BvhImporter()

    def seeds() -> list[bytes]:
        names = Skeleton(("Hips", "Knee", "脚"), [-1, 0, 1], [[0, 1, 0], [0, -0.5, 0], [0, -0.5, 0]])
        rotations = np.tile([0.0, 0.0, 0.0, 1.0], (3, 3, 1))
        motion = Motion(names, np.repeat(names.rest_positions[None], 3, axis=0), rotations, 30.0)
        asset = Asset("seed", names, (motion,), metadata={"format": "bvh", "unit_m": 1.0, "axes": "+X+Y+Z"})
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "seed.bvh"
            importer.write(asset, path)
            text = path.read_bytes()
        return [text, text.replace(b"\n", b"\r\n")]

    return Target("bvh", _with_file(".bvh", importer.read), (FormatError,), seeds)


def _fbx() -> Target:
    from kinetoscope_fbx.contract import FbxContract
    from kinetoscope_fbx.importer import FbxImporter

    def seeds() -> list[bytes]:
        return [sample.data for sample in FbxContract.samples]

    return Target("fbx", _with_file(".fbx", FbxImporter().read), (FormatError,), seeds)


def _glb() -> Target:
    from kinetoscope_glb.contract import GlbContract
    from kinetoscope_glb.importer import GlbImporter
    from kinetoscope_spec import Material, Mesh, Skin

    importer = GlbImporter()

    def seeds() -> list[bytes]:
        skeleton = Skeleton(("a", "b"), [-1, 0], [[0, 1, 0], [0, 1, 0]])
        skin = Skin([[0, 1]] * 3, [[0.5, 0.5]] * 3, [0, 1], np.stack([np.eye(4)] * 2))
        options = {
            "uvs": np.zeros((3, 2)),
            "skin": skin,
            "morphs": np.ones((1, 3, 3)),
            "morph_names": ("up",),
        }
        mesh = Mesh.from_triangles("m", np.eye(3), [[0, 1, 2]], **options)
        turns = np.tile([0.0, 0.0, 0.0, 1.0], (3, 2, 1))
        places = np.random.default_rng(0).normal(size=(3, 2, 3))
        motion = Motion(skeleton, places, turns, 30.0, morph_weights={"up": np.arange(3.0)})
        material = Material("m", base_color_image=np.zeros((2, 2, 3), np.uint8))
        asset = Asset("seed", skeleton, (motion,), (mesh,), (material,))
        written = []
        with tempfile.TemporaryDirectory() as folder:
            for suffix in ("glb", "gltf"):
                path = Path(folder) / f"seed.{suffix}"
                importer.write(asset, path)
                written.append(path.read_bytes())
        return [*written, *(sample.data for sample in GlbContract.samples if not sample.files)]

    return Target("glb", _with_file(".glb", importer.read), (FormatError,), seeds)


def _npz() -> Target:
    from kinetoscope_dataset.npz import NpzImporter

    importer = NpzImporter()

    def seeds() -> list[bytes]:
        skeleton = Skeleton(("Hips", "脚"), [-1, 0], [[0, 1, 0], [0, -0.5, 0]])
        rotations = np.tile([0.0, 0.0, 0.0, 1.0], (3, 2, 1))
        motion = Motion(skeleton, np.repeat(skeleton.rest_positions[None], 3, axis=0), rotations, 30.0)
        asset = Asset(
            "seed", skeleton, (motion,), metadata={"format": "npz", "unit_m": 1.0, "axes": "+X+Y+Z"}
        )
        found = []
        with tempfile.TemporaryDirectory() as folder:
            for compress in (True, False):
                path = Path(folder) / "seed.npz"
                importer.write(asset, path, compress=compress)
                found.append(path.read_bytes())
        return found

    return Target("npz", _with_file(".npz", importer.read), (FormatError,), seeds)


def _c3d() -> Target:
    from kinetoscope_c3d.contract import C3dContract
    from kinetoscope_c3d.importer import C3dImporter

    seeds = [sample.data for sample in C3dContract.samples]
    return Target("c3d", _with_file(".c3d", C3dImporter().read), (FormatError,), lambda: seeds)


def _asf() -> Target:
    from kinetoscope_asf.contract import ASF
    from kinetoscope_asf.importer import AsfImporter

    return Target("asf", _with_file(".asf", AsfImporter().read), (FormatError,), lambda: [ASF])


def _amc() -> Target:
    from kinetoscope_asf.contract import AMC, ASF
    from kinetoscope_asf.importer import AsfImporter

    skeleton = Path(tempfile.mkdtemp(prefix="kinetoscope-fuzz-")) / "clip.asf"
    skeleton.write_bytes(ASF)
    read = partial(AsfImporter().read, skeleton=skeleton)
    return Target("amc", _with_file(".amc", read), (FormatError,), lambda: [AMC])


def _recipe() -> Target:
    from kinetoscope_samples.recipe import ACTIONS, Recipe, Segment, parse, to_toml

    def seeds() -> list[bytes]:
        recipes = [Recipe(action=action) for action in ACTIONS]
        recipes.append(Recipe(segments=(Segment(1.0, 1.2), Segment(2.0, 0.5, 30.0))))
        return [to_toml(recipe).encode() for recipe in recipes]

    def read(data: bytes) -> Any:
        return parse(data.decode("utf-8", "replace"), path=Path("input.sample.toml"))

    return Target("recipe", read, (FormatError,), seeds)


def _radiance() -> Target:
    from kinetoscope_av._light import read_light
    from kinetoscope_av._measured import Measured

    def seeds() -> list[bytes]:
        plain = Measured.plain(9, 3)
        turned = attrs.evolve(plain, scan="+X -Y")
        return [plain.radiance(), plain.packed(), turned.packed().replace(b"FORMAT", b"EXPOSURE=2.5\nFORMAT")]

    return Target("radiance", _with_file(".hdr", read_light), (FormatError,), seeds)


def _shot() -> Target:
    from kinetoscope.shot.settings import read_shot
    from kinetoscope_samples.shot import write_sample

    def seeds() -> list[bytes]:
        with tempfile.TemporaryDirectory() as folder:
            return [write_sample(Path(folder) / "sample").read_bytes()]

    return Target("shot", _with_file(".toml", read_shot), (ConfigError,), seeds)


def _config() -> Target:
    from kinetoscope.config import Config

    def seeds() -> list[bytes]:
        return [
            b'block = ["acme"]\ntrace = true\n[providers]\nimporter = "bvh"\n[plugins.bvh]\nunit = 0.01\n'
        ]

    def read(path: Path) -> Any:
        return Config.load({}, file=path)

    return Target("config", _with_file(".toml", read), (ConfigError,), seeds)


def _checkpoint() -> Target:
    from kinetoscope_codebook.fitted import load
    from kinetoscope_codebook.model import CodebookMatching, Fsq, Mlp, Vq
    from kinetoscope_spec import Column, TrainingSet

    def seeds() -> list[bytes]:
        rng = np.random.default_rng(0)
        inputs, outputs = rng.normal(size=(32, 3)), rng.normal(size=(32, 2))
        schemas = [
            TrainingSet.measured([Column(f"c{i}") for i in range(d.shape[1])], d) for d in (inputs, outputs)
        ]
        rows, found = TrainingSet(inputs, outputs, *schemas), []
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "seed.safetensors"
            for model in (Mlp(), *(kind(hidden=8, channels=2) for kind in (CodebookMatching, Vq, Fsq))):
                model.fit(rows, seed=0, budget={"steps": 1}).save(path)
                found.append(path.read_bytes())
        return found

    return Target("checkpoint", _with_file(".safetensors", load), (FormatError,), seeds)


def _recording() -> Target:
    from kinetoscope_stage import Recording
    from kinetoscope_stage.recording import Tick

    def seeds() -> list[bytes]:
        told = Recording([Tick(0.1, 1.0, {"push": np.zeros((2, 3))}), Tick(None), Tick(0.0, 0.0, {})])
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "seed.jsonl"
            told.save(str(path))
            return [path.read_bytes()]

    return Target(
        "recording", _with_file(".jsonl", lambda path: Recording.load(str(path))), (FormatError,), seeds
    )


def _signatures() -> Target:
    import inspect

    from kinetoscope_bvh.signature import is_bvh
    from kinetoscope_fbx.signature import is_ascii_fbx
    from kinetoscope_glb.signature import is_glb, is_gltf
    from kinetoscope_magika import formats
    from kinetoscope_samples import is_recipe

    rules = [rule for name, rule in inspect.getmembers(formats, inspect.isfunction) if name.startswith("is_")]

    def read(data: bytes) -> Any:
        head, tail = data[:4096], data[-4096:]
        for rule in (*rules, is_bvh, is_ascii_fbx, is_glb, is_gltf, is_recipe):
            answer = rule(head, tail, len(data))
            assert isinstance(answer, bool), f"{rule.__name__} returned {answer!r}"

    def seeds() -> list[bytes]:
        return [
            b"glTF\x02\0\0\0\x20\0\0\0",
            b"\x93NUMPY\x01\0v\0{'descr': '<f4'}",
            b"PK\x03\x04",
            b"ply\nformat ascii 1.0\n",
        ]

    return Target("signatures", read, (), seeds)


def _detect() -> Target:
    from kinetoscope_magika.detect import MagikaDetector

    detector = MagikaDetector()
    return Target("detect", detector.detect, (), lambda: [b"import os\n", b"{}", b"\x89PNG\r\n\x1a\n"])


def _script(name: str) -> Callable[[], Target]:
    """Return the maker of a target: a form of scripts, and then the tags of every line."""

    def target() -> Target:
        from kinetoscope_spec import Line, Script, ValidationError, script

        parse, write = getattr(script, f"parse_{name}"), getattr(script, f"write_{name}")

        def read(data: bytes) -> None:
            for line in parse(data.decode("utf-8", "replace")).lines:
                with suppress(ValidationError):
                    script.steps(line.text)

        lines = [
            Line("[excited] Ja! *So* ist es. [pause 1.5s] [mark m]", "Ann", "de"),
            Line("3 < 4 & 5", "Bob"),
        ]
        held = Script(lines, {"Ann": "f2"}, "en-US", {"tomato": "/təˈmɑːtəʊ/", "NASA": "nassa"})
        return Target(f"script-{name}", read, (FormatError,), lambda: [write(held).encode()])

    return target


def _speech_sound() -> Target:
    from kinetoscope_gemini._sound import decoded

    kinds = (None, "audio/wav", "audio/L16;rate=24000", "audio/mulaw")

    def read(data: bytes) -> None:
        for kind in kinds:
            with suppress(FormatError):
                decoded(data, kind)

    def seeds() -> list[bytes]:
        import io
        import wave

        stream = io.BytesIO()
        with wave.open(stream, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(24_000)
            file.writeframes(bytes(range(256)))
        return [stream.getvalue(), bytes(range(64))]

    return Target("gemini-sound", read, (), seeds)


def _speech_cache() -> Target:
    from kinetoscope_gemini._cache import Kept, _read, _written

    def seeds() -> list[bytes]:
        import numpy as np

        return [_written(Kept(np.linspace(-1, 1, 64, dtype=np.float32), 24_000, "2026-01-01T00:00:00+00:00"))]

    errors = (ValueError, LookupError, TypeError, AttributeError)
    return Target("gemini-cache", _read, errors, seeds)


def _mask_analysis() -> Target:
    """A vision model's answer, which has to fit the video whatever it says."""
    from kinetoscope_quadmask.hooks import Affected, Cells, Grid, Reasoning, Step, analysis_of, read_analysis
    from kinetoscope_spec import ValidationError, Video

    video = Video.from_frames(np.zeros((9, 36, 64, 3), np.uint8), 12)

    def read(data: bytes) -> None:
        made = read_analysis(data.decode("utf-8", "replace"), video, 9)
        made.check(video)  # what it raises here is a defect: repairs were to see to it
        again = read_analysis(analysis_of(made), video, 9)
        assert attrs.evolve(again, warnings=()) == attrs.evolve(made, warnings=())

    def seeds() -> list[bytes]:
        ball = Affected("ball", will_move=True, path=[Step(0, 1, 2), Step(8, 3, 4)], original_cell=(1, 1))
        shadow = Affected("shadow", "visual_artifact", cells=[Cells(3, [(0, 1)])])
        held = analysis_of(Reasoning(Grid.over(64, 36), "A floor.", affected=[ball, shadow]))
        return [json.dumps(held).encode(), b"```json\n{}\n```"]

    return Target("mask-analysis", read, (ValidationError,), seeds)


def _mask_prompts() -> Target:
    from kinetoscope_quadmask.hooks import Box, Point, Prompts, prompts_json, read_prompts
    from kinetoscope_spec import Video

    video = Video.from_frames(np.zeros((9, 36, 64, 3), np.uint8), 12)

    def seeds() -> list[bytes]:
        ours = prompts_json([Prompts([Point(1, 2, 3)], [Box(1, 2, 3, 4)])])
        theirs = {"frame_width": 64, "frame_height": 36, "primary_points_by_frame": {"3": [[5, 6]]}}
        return [json.dumps(held).encode() for held in (ours, theirs)]

    return Target(
        "mask-prompts", _with_file(".json", lambda path: read_prompts(path, video)), (FormatError,), seeds
    )


def _mask_edit() -> Target:
    """An edit as a browser sends it."""
    from kinetoscope_quadmask._edits import edit
    from kinetoscope_quadmask.editing import MaskEditor
    from kinetoscope_spec import Quadmask, ValidationError

    blank = Quadmask.from_frames(np.full((3, 9, 16), 255, np.uint8), 12)

    def read(data: bytes) -> None:
        try:
            asked = json.loads(data)
        except (ValueError, RecursionError):
            return
        edit(MaskEditor(blank), asked)

    def seeds() -> list[bytes]:
        brush = {
            "op": "brush",
            "frame": 1,
            "stroke": [[1, 2], [3, 4]],
            "radius": 2,
            "layer": "removed",
            "put": True,
        }
        cell = {"op": "cell", "frame": 0, "row": 1, "col": 2, "layer": "affected"}
        return [json.dumps(held).encode() for held in (brush, cell)]

    return Target("mask-edit", read, (ValidationError,), seeds)


TARGETS: dict[str, Callable[[], Target]] = {
    "bvh": _bvh,
    "fbx": _fbx,
    "glb": _glb,
    "npz": _npz,
    "c3d": _c3d,
    "asf": _asf,
    "amc": _amc,
    "radiance": _radiance,
    "recipe": _recipe,
    "shot": _shot,
    "config": _config,
    "checkpoint": _checkpoint,
    "recording": _recording,
    "signatures": _signatures,
    "detect": _detect,
    "script-text": _script("text"),
    "script-toml": _script("toml"),
    "script-ssml": _script("ssml"),
    "gemini-sound": _speech_sound,
    "gemini-cache": _speech_cache,
    "mask-analysis": _mask_analysis,
    "mask-prompts": _mask_prompts,
    "mask-edit": _mask_edit,
}


PACKAGES = {
    "radiance": ("kinetoscope_av",),
    "bvh": ("kinetoscope_bvh",),
    "fbx": ("kinetoscope_fbx",),
    "glb": ("kinetoscope_glb",),
    "npz": ("kinetoscope_dataset",),
    "c3d": ("kinetoscope_c3d",),
    "asf": ("kinetoscope_asf",),
    "amc": ("kinetoscope_asf",),
    "recipe": ("kinetoscope_samples",),
    "shot": ("kinetoscope",),
    "config": ("kinetoscope",),
    "checkpoint": ("kinetoscope_codebook",),
    "recording": ("kinetoscope_stage",),
    "signatures": ("kinetoscope_magika", "kinetoscope_bvh", "kinetoscope_fbx", "kinetoscope_glb"),
    "detect": ("kinetoscope_magika",),
    "script-text": ("kinetoscope_spec.script",),
    "script-toml": ("kinetoscope_spec.script",),
    "script-ssml": ("kinetoscope_spec.script",),
    "gemini-sound": ("kinetoscope_gemini",),
    "gemini-cache": ("kinetoscope_gemini",),
    "mask-analysis": ("kinetoscope_quadmask",),
    "mask-prompts": ("kinetoscope_quadmask",),
    "mask-edit": ("kinetoscope_quadmask",),
}
"""Whose branches guide the fuzzer."""
