"""What is drawn on: the order, what is asked for, and what is said where nothing opens."""

from __future__ import annotations

import ctypes.util
import sys
from pathlib import Path
from types import SimpleNamespace

import moderngl
import numpy as np
import pytest

from kinetoscope_deferred import _osmesa, context, devices
from kinetoscope_deferred._osmesa import OsmesaContext, OsmesaError
from kinetoscope_deferred.devices import EglDevice, egl_devices, is_software
from kinetoscope_deferred.renderer import DeferredRenderer
from kinetoscope_spec import Camera, ConfigError, ProviderUnavailable

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="EGL is Linux's")
CARD = EglDevice(1, "/dev/dri/card0", False)
MESA = EglDevice(0, "software", True)


@pytest.fixture
def machine(monkeypatch):
    """Stand in for a machine: which devices EGL lists, and what each one opens."""

    def make(listed, renderers, *, osmesa=None):
        opened = []

        def create(*, standalone, require, **settings):
            assert standalone
            assert require == 330
            key = "osmesa" if "context" in settings else settings["device_index"]
            opened.append(key)
            if key not in renderers:
                raise Exception(f"no driver for {key}")
            info = {"GL_RENDERER": renderers[key], "GL_VENDOR": "Acme", "GL_VERSION": "4.6"}
            return SimpleNamespace(info=info, release=lambda: opened.append("released"))

        def library():
            if osmesa is None:
                raise OsmesaError("lavavu-osmesa is not installed")
            return osmesa

        monkeypatch.setattr(context, "egl_devices", lambda: listed)
        monkeypatch.setattr(context, "find_library", library)
        monkeypatch.setattr(context, "OsmesaContext", lambda path: path)
        monkeypatch.setattr(moderngl, "create_context", create)
        monkeypatch.delenv(context.VARIABLE, raising=False)
        return opened

    return make


@linux
def test_a_card_comes_before_software_whatever_its_number(machine):
    opened = machine([MESA, CARD], {0: "llvmpipe", 1: "RTX"})
    assert context.open_context().why == "RTX by Acme, OpenGL 4.6: EGL device 1 (/dev/dri/card0)"
    assert opened == [1]


@linux
def test_a_card_without_its_driver_is_let_go(machine):
    opened = machine([CARD, MESA], {0: "llvmpipe (LLVM 15)", 1: "llvmpipe (LLVM 15)"})
    why = context.open_context().why
    assert opened == [1, "released", 0]
    assert why.endswith(
        "EGL device 0 (software), after EGL device 1 (/dev/dri/card0): only llvmpipe (LLVM 15)"
    )


@linux
def test_without_a_card_that_is_said(machine):
    machine([MESA], {0: "llvmpipe"})
    assert context.open_context().why.endswith("EGL device 0 (software); EGL lists no graphics card")


@linux
def test_osmesa_comes_last_and_only_if_it_is_there(machine):
    opened = machine([CARD, MESA], {"osmesa": "llvmpipe"}, osmesa=Path("libOSMesa.so"))
    assert "OSMesa of lavavu-osmesa, after EGL device 1" in context.open_context().why
    assert opened == [1, 0, "osmesa"]
    machine([], {})
    with pytest.raises(ProviderUnavailable, match="lavavu-osmesa is not installed") as caught:
        context.open_context()
    assert "apt-get install libegl1" in str(caught.value)
    assert "no driver for 0" in str(caught.value)


@linux
@pytest.mark.parametrize(
    ("wish", "drawn"), [("gpu", 1), ("cpu", 0), ("egl:0", 0), ("egl:1", 1), ("osmesa", "osmesa")]
)
def test_what_is_asked_for_is_opened_and_nothing_else(machine, monkeypatch, wish, drawn):
    renderers = {0: "llvmpipe", 1: "RTX", "osmesa": "llvmpipe"}
    opened = machine([MESA, CARD], renderers, osmesa=Path("libOSMesa.so"))
    assert f"as asked for by {wish!r}" in context.open_context(wish).why
    monkeypatch.setenv(context.VARIABLE, wish)
    context.open_context()
    assert opened == [drawn, drawn]
    assert context.open_context("cpu").why.startswith("llvmpipe")  # an argument comes before the environment


@linux
def test_what_is_not_there_is_not_replaced(machine):
    machine([MESA], {0: "llvmpipe"})
    with pytest.raises(
        ProviderUnavailable, match=r"on 'gpu' \(EGL lists no graphics card\).*card's own driver"
    ):
        context.open_context("gpu")
    with pytest.raises(ProviderUnavailable, match=r"EGL device 3.*EGL lists EGL device 0 \(software\)"):
        context.open_context("egl:3")


def test_a_device_of_no_kind_is_said(monkeypatch):
    with pytest.raises(ConfigError, match="device is 'cuda', expected gpu, cpu, osmesa, or egl:N"):
        DeferredRenderer().open((8, 8), device="cuda")
    monkeypatch.setenv(context.VARIABLE, "best")
    with pytest.raises(ConfigError, match="KINETOSCOPE_GL_DEVICE is 'best'"):
        DeferredRenderer().open((8, 8))


def test_drivers_on_the_processor_are_known():
    assert is_software("llvmpipe (LLVM 15.0.6, 256 bits)")
    assert is_software("softpipe")
    assert not is_software("NVIDIA GeForce RTX 4090/PCIe/SSE2")
    assert not is_software("Mesa Intel(R) UHD Graphics 620")


@linux
def test_where_there_is_no_egl_no_device_is_listed(monkeypatch):
    def missing(name):
        raise OSError(f"{name}: not there")

    monkeypatch.setattr(devices.ctypes, "CDLL", missing)
    assert egl_devices() == []


def test_a_library_that_is_no_osmesa_is_said(tmp_path):
    with pytest.raises(OsmesaError, match=r"libOSMesa\.so can't be loaded"):
        OsmesaContext(tmp_path / "libOSMesa.so")
    (tmp_path / "libOSMesa.so").write_bytes(b"\x7fELF, but no more than that")
    with pytest.raises(OsmesaError, match=r"libOSMesa\.so can't be loaded"):
        OsmesaContext(tmp_path / "libOSMesa.so")
    other = ctypes.util.find_library("c") if sys.platform.startswith("linux") else None
    if other:
        with pytest.raises(OsmesaError, match=r"is no OSMesa of 11\.2 or newer"):
            OsmesaContext(Path(other))


def test_a_wheel_without_the_library_is_said(monkeypatch):
    monkeypatch.setattr(_osmesa, "files", lambda _: [])
    with pytest.raises(OsmesaError, match="holds no libOSMesa"):
        _osmesa.find_library()


def _picture(kit, device):
    scene = kit.scene(kit.actor(*kit.sphere(0.8, 16)))
    with DeferredRenderer().open((64, 36), buffers=("id", "depth"), device=device) as session:
        return session.render(scene, Camera((0, 0, 4), (0, 0, 0))), session.why


@pytest.mark.gl
@linux
def test_osmesa_draws_what_egl_draws(sessions, kit):
    sessions()
    try:
        _osmesa.find_library()
    except OsmesaError as error:
        pytest.skip(str(error))
    there, why = _picture(kit, "osmesa")
    assert "OSMesa" in why
    here, _ = _picture(kit, "cpu")
    np.testing.assert_array_equal(there.buffers["id"], here.buffers["id"])
    np.testing.assert_allclose(there.buffers["depth"], here.buffers["depth"], rtol=5e-4)
    assert np.abs(there.color.astype(int) - here.color).mean() < 1


@pytest.mark.gl
@linux
def test_mesa_lists_itself_and_says_what_draws(sessions, kit):
    sessions()
    listed = egl_devices()
    assert [device.index for device in listed] == list(range(len(listed)))
    if any(device.software for device in listed):
        _, why = _picture(kit, "cpu")
        assert "OpenGL" in why
        assert "as asked for by 'cpu'" in why
