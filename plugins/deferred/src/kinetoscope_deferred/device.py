"""Programs, textures and full-screen draws: what every pass shares of one context."""

from __future__ import annotations

import weakref
from collections.abc import Mapping, Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

import moderngl
import numpy as np

from kinetoscope_spec.environment import Environment, split_sum
from kinetoscope_spec.errors import ConfigError

__all__ = ["Device", "source", "uniforms"]

_SHADERS = files("kinetoscope_deferred") / "passes"


class Device:
    """One OpenGL context with its compiled programs and named textures."""

    def __init__(self, context: moderngl.Context, size: tuple[int, int]) -> None:
        self.context = context
        self.size = size
        self.textures: dict[str, moderngl.Texture] = {}
        self._programs: dict[tuple[Any, ...], moderngl.Program] = {}
        self._screens: dict[int, moderngl.VertexArray] = {}
        self._framebuffers: dict[str, moderngl.Framebuffer] = {}
        self._surroundings: tuple[weakref.ref[Environment], moderngl.TextureArray] | None = None
        self._backdrop: tuple[weakref.ref[np.ndarray[Any, Any]], moderngl.Texture] | None = None
        self.samples = context.query(samples=True)
        self.white = context.texture((1, 1), 4, b"\xff" * 4)
        self.no_lights = context.texture((1, 1), 4, bytes(16), dtype="u4")
        self.no_shadow = context.depth_texture((1, 1), data=np.ones(1, np.float32).tobytes())

    def program(self, vertex: str, fragment: str | None, **defines: int) -> moderngl.Program:
        """Return the program of two shader files, compiled once for each set of `defines`.

        A file is one of the renderer's own, or `package:file` of anybody's package.
        """
        key = (vertex, fragment, tuple(sorted(defines.items())))
        if key not in self._programs:
            self._programs[key] = self.context.program(
                vertex_shader=source(vertex, defines),
                fragment_shader=None if fragment is None else source(fragment, defines),
            )
        return self._programs[key]

    def texture(
        self,
        name: str,
        components: int,
        dtype: str,
        *,
        size: tuple[int, int] | None = None,
        linear: bool = False,
    ) -> moderngl.Texture:
        """Return the render target `name`, made on first use; it never repeats at its edges."""
        if name not in self.textures:
            texture = self.context.texture(size or self.size, components, dtype=dtype)
            texture.filter = (moderngl.LINEAR,) * 2 if linear else (moderngl.NEAREST,) * 2
            texture.repeat_x = texture.repeat_y = False
            self.textures[name] = texture
        return self.textures[name]

    def depth_texture(self, name: str, *, size: tuple[int, int] | None = None) -> moderngl.Texture:
        """Return the depth target `name`, made on first use, to be read texel by texel."""
        if name not in self.textures:
            texture = self.context.depth_texture(size or self.size)
            texture.compare_func = ""
            texture.filter = (moderngl.NEAREST, moderngl.NEAREST)
            texture.repeat_x = texture.repeat_y = False
            self.textures[name] = texture
        return self.textures[name]

    def upload(self, name: str, texels: np.ndarray[Any, Any]) -> moderngl.Texture:
        """Write float32 `[H, W, 4]` texels into the data texture `name`, growing it when needed."""
        height, width = texels.shape[:2]
        held = self.textures.get(name)
        if held is None or held.size[0] != width or held.size[1] < height:
            if held is not None:
                held.release()
            held = self.context.texture((width, height), 4, dtype="f4")
            held.filter = (moderngl.NEAREST, moderngl.NEAREST)
            self.textures[name] = held
        held.write(np.ascontiguousarray(texels, np.float32).tobytes(), viewport=(0, 0, width, height))
        return held

    def copy(self, name: str) -> moderngl.Texture:
        """Return what the colour texture `name` holds now, to be read while it is drawn into."""
        held = self.textures[name]
        copy = self.texture(f"{name} before", held.components, held.dtype, size=held.size)
        self.context.copy_framebuffer(
            self.framebuffer(f"{name} before", [copy]), self.framebuffer(f"{name} now", [held])
        )
        return copy

    def resize(self, size: tuple[int, int]) -> None:
        """Let go of everything that has a size of its own; programs stay."""
        # moderngl goes back to the framebuffer that is bound after making one: it must not be gone.
        self.context.framebuffer([self.white]).use()
        for held in (*self._framebuffers.values(), *self.textures.values()):
            held.release()
        self._framebuffers.clear()
        self.textures.clear()
        self.size = size

    def split_sum(self) -> moderngl.Texture:
        """Return what surfaces mirror of even light, by the cosine to the eye and roughness."""
        if "split_sum" not in self.textures:
            held = split_sum()
            texture = self.context.texture(held.shape[1::-1], 2, held.tobytes(), dtype="f4")
            texture.repeat_x = texture.repeat_y = False
            self.textures["split_sum"] = texture
        return self.textures["split_sum"]

    def surroundings(self, environment: Environment) -> moderngl.TextureArray:
        """Return what surfaces mirror of an environment, uploaded once for the object that came last."""
        held = self._surroundings
        if held is None or held[0]() is not environment:
            if held is not None:
                held[1].release()
            levels = environment.mirrored
            size = (levels.shape[2], levels.shape[1], levels.shape[0])
            texture = self.context.texture_array(size, 3, levels.tobytes(), dtype="f4")
            texture.filter = (moderngl.LINEAR, moderngl.LINEAR)
            texture.repeat_y = False
            self._surroundings = held = weakref.ref(environment), texture
        return held[1]

    def backdrop(self, environment: Environment, pixel: float) -> moderngl.Texture:
        """Return what is seen of an environment, uploaded once for the object and the size that came last.

        Args:
            pixel: radians across one of the picture's pixels.
        """
        image = environment.backdrop(pixel)
        held = self._backdrop
        if held is None or held[0]() is not image:
            if held is not None:
                held[1].release()
            texels = image.astype(np.float16)
            texture = self.context.texture(image.shape[1::-1], 3, texels.tobytes(), alignment=1, dtype="f2")
            texture.filter = (moderngl.LINEAR, moderngl.LINEAR)
            texture.repeat_y = False
            self._backdrop = held = weakref.ref(image), texture
        return held[1]

    def bind(
        self, program: moderngl.Program, textures: Mapping[str, moderngl.Texture | moderngl.TextureArray]
    ) -> None:
        """Bind textures to the samplers of the same names; the program may lack some."""
        for unit, (name, texture) in enumerate(textures.items()):
            if name in program:
                texture.use(unit)
                program[name] = unit

    def framebuffer(
        self, name: str, colors: Sequence[moderngl.Texture], depth: moderngl.Texture | None = None
    ) -> moderngl.Framebuffer:
        """Return the framebuffer `name` over these textures, made on first use."""
        if name not in self._framebuffers:
            self._framebuffers[name] = self.context.framebuffer(list(colors), depth)
        return self._framebuffers[name]

    def screen(
        self,
        program: moderngl.Program,
        target: moderngl.Framebuffer,
        *,
        depth: bool = False,
        blend: tuple[int, int] | None = None,
        count: bool = False,
        vertices: int = 3,
    ) -> int:
        """Run `program`, which makes its own corners, over `target`; return its pixels, if they are to be counted.

        `blend` are OpenGL's factors of what comes and of what is there.
        """
        if program.glo not in self._screens:
            self._screens[program.glo] = self.context.vertex_array(program, [])
        target.use()
        blending = moderngl.NOTHING if blend is None else moderngl.BLEND
        self.context.enable_only((moderngl.DEPTH_TEST if depth else moderngl.NOTHING) | blending)
        if blend is not None:
            self.context.blend_func = blend
        if not count:
            self._screens[program.glo].render(moderngl.TRIANGLES, vertices=vertices)
            return 0
        with self.samples:
            self._screens[program.glo].render(moderngl.TRIANGLES, vertices=vertices)
        return int(self.samples.samples)


def uniforms(program: Any, **values: Any) -> None:
    """Set uniforms by name; one that the compiler dropped is left out."""
    for name, value in values.items():
        if name not in program:
            continue
        if isinstance(value, np.ndarray):
            # GL wants columns; our matrices are rows.
            columns = value.T if value.ndim == 2 else value
            program[name].write(np.ascontiguousarray(columns, np.float32).tobytes())
        else:
            program[name] = value


def source(name: str, defines: Mapping[str, int]) -> str:
    """Return the GLSL of the file `name`, with its includes put in and `defines` on top.

    `package:file` is a file of another package; what it includes is looked for there, and then here.

    Raises:
        ConfigError: there is no such file or package.
    """
    lines = ["#version 330 core", *(f"#define {key} {value}" for key, value in sorted(defines.items()))]
    package, colon, file = name.rpartition(":")
    return "\n".join([*lines, _expand(file, _folder(package) if colon else _SHADERS)])


def _folder(package: str) -> Traversable:
    try:
        return files(package)
    except ModuleNotFoundError as error:
        raise ConfigError(f"no package {package!r}, in which a shader is said to lie") from error


def _expand(name: str, folder: Traversable) -> str:
    place = folder / name
    if folder is not _SHADERS and not place.is_file():
        if not (_SHADERS / name).is_file():
            raise ConfigError(f"no shader {name!r} in {folder}, nor among the renderer's own")
        folder, place = _SHADERS, _SHADERS / name
    lines = []
    for line in place.read_text(encoding="utf-8").splitlines():
        if line.startswith("#include"):
            lines.append(_expand(line.split('"')[1], folder))
        else:
            lines.append(line)
    return "\n".join(lines)
