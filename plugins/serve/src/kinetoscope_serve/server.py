"""The server: the service on a socket, in this thread or in one of its own."""

from __future__ import annotations

import asyncio
import socket
import threading
from types import TracebackType
from typing import Any, Final, Self

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from kinetoscope_serve.app import Service

__all__ = ["Server", "listen"]

HEAD_S: Final = 10.0
"""Seconds in which the head of a request has to be there."""

MOST_CONNECTIONS: Final = 128


class _Protocol(H11Protocol):
    """Closes a connection on which no request comes: whoever holds many open would keep others out."""

    def connection_made(self, transport: Any) -> None:
        """Begin to wait."""
        super().connection_made(transport)
        self._late = self.loop.call_later(HEAD_S, self._close_idle)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._late.cancel()
        super().connection_lost(exc)

    def _close_idle(self) -> None:
        begun: object = self.cycle
        if begun is None:
            self.transport.close()


def listen(address: str, port: int) -> socket.socket:
    """Return a socket that listens; port 0 takes a free one.

    Raises:
        OSError: the address is not this machine's, or the port is taken.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return socket.create_server((address, port), family=family, backlog=MOST_CONNECTIONS)


class Server:
    """A service on a socket. `run` serves until a signal or `stop`; as a context it does so in a thread.

    However it ends, the running job is cancelled, event streams come to their end, and then answers do.
    """

    def __init__(self, service: Service, listener: socket.socket) -> None:
        self.service, self.listener = service, listener
        config = uvicorn.Config(
            service.app(),
            http=_Protocol,
            ws="none",
            lifespan="off",
            access_log=False,  # its lines would show the keys of links
            log_config=None,
            server_header=False,
            limit_concurrency=MOST_CONNECTIONS,
            timeout_graceful_shutdown=10,
        )
        self._uvicorn = _Uvicorn(config, service)
        self._thread = threading.Thread(target=self.run, name="kinetoscope-serve")

    @property
    def port(self) -> int:
        """The port."""
        return int(self.listener.getsockname()[1])

    def run(self) -> None:
        """Serve."""
        with self.service.jobs, self.listener:
            self._uvicorn.run(sockets=[self.listener])

    def stop(self) -> None:
        """Let `run` come to its end."""
        self._uvicorn.should_exit = True

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._thread.join()


class _Uvicorn(uvicorn.Server):
    """Ends the jobs before the connections: those who watch are told how theirs ended."""

    def __init__(self, config: uvicorn.Config, service: Service) -> None:
        super().__init__(config)
        self._service = service

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End jobs, then connections."""
        await asyncio.to_thread(self._service.jobs.close)
        await super().shutdown(sockets)
