"""A small web server on the bot's event loop. Owns listening, being ready, and the end; refuses to know what it serves.

It imports uvicorn, so it is itself imported only where something is served.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn
from starlette.applications import Starlette

from rules.errors import UserError


class SiteServer:
    """A site behind an address. Port 0 takes a free one, see `port` after `start`."""

    def __init__(self, site: Starlette, host: str, port: int) -> None:
        self._address = (host, port)
        self._server = _Server(uvicorn.Config(site, log_config=None, access_log=False, lifespan="off"))
        self._serving: asyncio.Task[None] | None = None
        self.port = port

    async def start(self) -> None:
        """Listen and return once requests can come. Raises `UserError` when the address is taken."""
        host, port = self._address
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        # Said to be TCP: else asyncio leaves Nagle's algorithm on, and an answer of two writes (its head, its body)
        # waits 40 ms for the other side to acknowledge the first.
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            listener.close()
            reason = error.strerror or str(error)
            raise UserError("Cannot listen on {host}:{port}: {reason}.", host=host, port=port, reason=reason) from error
        self.port = listener.getsockname()[1]
        self._serving = asyncio.create_task(self._server.serve(sockets=[listener]), name="http")
        await self._server.ready.wait()

    async def stop(self) -> None:
        """Answer what was asked, then close."""
        self._server.should_exit = True
        if self._serving is not None:
            await self._serving


class _Server(uvicorn.Server):
    """Uvicorn without its own signal handlers (who serves decides about the end), telling when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()
