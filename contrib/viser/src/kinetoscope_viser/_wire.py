"""What viser has no public name for: poses in one message window, who may connect, silent ends.

Everything here leans on the inside of viser 1.1; nothing else of this distribution does.
"""

from __future__ import annotations

import contextlib
import io
import ipaddress
import os
import socket
from collections.abc import Collection, Iterator
from typing import Any, Final
from urllib.parse import urlsplit

import numpy as np
import viser
from numpy.typing import NDArray
from viser import _messages

from kinetoscope_spec import KinetoscopeError

__all__ = ["LOOPBACK", "CannotListen", "close", "grouped", "is_loopback", "open_server", "send_pose"]

Array = NDArray[Any]

LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")

_WINDOW: Final = 8192
"""Messages that the page takes in one go. By viser's 128 a body of 65 bones would be torn in two."""


class CannotListen(KinetoscopeError):
    """The page's address can't be had."""


def is_loopback(address: str) -> bool:
    """Tell whether an address is reached from this machine alone."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address.lower() == "localhost"


def open_server(address: str, port: int, names: Collection[str] | None) -> viser.ViserServer:
    """Start a server of pages.

    Args:
        address: where it listens.
        port: 0 for any that is free.
        names: by which the page may be reached; None for any. Pages of other sites are kept out by
            it: a browser says which page asks (`Origin`) and for whom it takes this machine (`Host`).

    Raises:
        CannotListen: the address is not this machine's, or the port is taken.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        # viser would try the next thousand ports in silence, or none at all for ever.
        with socket.create_server((address, port), family=family) as tried:
            port = tried.getsockname()[1]
    except OSError as error:
        reason = error.strerror or str(error)
        raise CannotListen(
            f"{address}:{port}: {reason}; choose another with --port, 0 for any that is free"
        ) from None
    os.environ.pop("_VISER_PORT_OVERRIDE", None)
    with _silence():
        server = viser.ViserServer(host=address, port=port, verbose=False)
    if server.get_port() != port:
        close(server)
        raise CannotListen(f"{address}:{port}: taken in the meantime; choose another with --port")
    server._websock_server._broadcast_buffer.max_window_size = _WINDOW
    if names is not None:
        _guard(server, frozenset(name.lower() for name in names))
    return server


def _guard(server: viser.ViserServer, names: frozenset[str]) -> None:
    websockets = server._websock_server

    async def admit(client: Any) -> None:
        # This runs before anything is sent: a connection that is closed here has seen nothing.
        connection = websockets._live_connections[client.client_id]
        headers = connection.request.headers
        asked = [_name_in(f"//{host}") for host in headers.get_all("Host")]
        asked += [_name_in(origin) for origin in headers.get_all("Origin")]
        if any(name is None or name.lower() not in names for name in asked):
            await connection.close(1008, "this page is not for other sites")

    websockets._client_connect_cb.insert(0, admit)


def _name_in(address: str) -> str | None:
    """Return whose address it is; None where it says nothing that can be read."""
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None


def close(server: viser.ViserServer) -> None:
    """Stop a server."""
    with _silence():
        server.stop()


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Keep what viser prints from standard output, where a command's JSON stands."""
    with contextlib.redirect_stdout(io.StringIO()):
        yield


@contextlib.contextmanager
def grouped(server: viser.ViserServer) -> Iterator[None]:
    """Let the page see all that is changed within at once."""
    with server.atomic():
        yield
    server.flush()


def send_pose(mesh: viser.MeshSkinnedHandle, positions: Array, rotations: Array) -> None:
    """Set all bones of a skinned mesh: positions `[B, 3]` m and rotations `[B, 4]` xyzw.

    viser's own setter leaves a bone as it was when it moved by less than 1e-5 of its distance from
    the origin: a tenth of a millimetre at ten metres, which feet that stand would show.
    """
    name, queue = mesh.name, mesh._impl.api._queue_scene_message
    wxyz = np.roll(rotations, 1, axis=1).tolist()
    held = zip(mesh.bones, positions.tolist(), wxyz, strict=True)
    for i, (bone, position, turn) in enumerate(held):
        if bone._impl.position.tolist() != position:
            bone._impl.position[:] = position
            queue(_messages.SetBonePositionMessage(name, i, tuple(position)))
        if bone._impl.wxyz.tolist() != turn:
            bone._impl.wxyz[:] = turn
            queue(_messages.SetBoneOrientationMessage(name, i, tuple(turn)))
