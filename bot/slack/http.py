"""Payloads over HTTP: one signed endpoint for events, commands and interactivity. Owns the server and its end;
refuses to handle payloads (and, importing starlette and uvicorn, is itself imported only when HTTP is chosen).
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import structlog
import uvicorn
from slack_bolt.request.async_request import AsyncBoltRequest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.slack.edge import Edge
from bot.slack.errors import SlackSetupError
from bot.slack.manifest import PATH

BODY_LIMIT = 1_000_000
_log = structlog.get_logger(__name__)


class HttpServer:
    """The edge behind an address. Port 0 takes a free one, see `port` after `start`."""

    def __init__(self, edge: Edge, host: str, port: int) -> None:
        self._edge = edge
        self._address = (host, port)
        self._server = _Server(uvicorn.Config(build_site(edge), log_config=None, access_log=False, lifespan="off"))
        self._serving: asyncio.Task[None] | None = None
        self.port = port

    async def start(self) -> None:
        """Listen and return once requests can come. Raises `SlackSetupError` when the address is taken."""
        host, port = self._address
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.socket(family)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            listener.close()
            raise SlackSetupError(
                "Cannot listen on {host}:{port}: {reason}.", host=host, port=port, reason=error.strerror or str(error)
            ) from error
        self.port = listener.getsockname()[1]
        self._serving = asyncio.create_task(self._server.serve(sockets=[listener]), name="http")
        await self._server.ready.wait()

    async def stop(self) -> int:
        """Drain the edge, then close; returns how much had to be cut off."""
        left = await self._edge.drain()
        self._server.should_exit = True
        if self._serving is not None:
            await self._serving
        return left


def build_site(edge: Edge) -> Starlette:
    """The endpoint of Slack, for every kind of payload."""

    async def receive(request: Request) -> Response:
        try:
            bolt_request = await _read(request)
        except ValueError:
            _log.warning("request refused: its body is too long or cannot be read")
            return PlainTextResponse("unreadable", 400)
        answer = await edge.app.async_dispatch(bolt_request)
        return Response(answer.body, answer.status, answer.first_headers())

    return Starlette(routes=[Route(PATH, receive, methods=["POST"])])


async def _read(request: Request) -> AsyncBoltRequest:
    """The request as Bolt wants it. Raises `ValueError` for a body over 1 MB, or one that is neither UTF-8 nor what
    it says it is: this comes before the signature is looked at.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_LIMIT:
            raise ValueError("too long")
    headers = {name: [value] for name, value in request.headers.items()}
    return AsyncBoltRequest(body=body.decode("utf-8"), headers=dict(headers))


class _Server(uvicorn.Server):
    """Uvicorn without its own signal handlers (shutdown is decided above), telling when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()
