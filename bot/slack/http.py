"""Payloads over HTTP: one signed endpoint for events, commands and interactivity. Owns what is read before the
signature is looked at; refuses to handle payloads (and, importing starlette and uvicorn, is itself imported only when
HTTP is chosen).
"""

from __future__ import annotations

import structlog
from slack_bolt.request.async_request import AsyncBoltRequest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.slack.edge import Edge
from bot.slack.manifest import PATH
from bot.web.listening import SiteServer

BODY_LIMIT = 1_000_000
_log = structlog.get_logger(__name__)


class HttpServer:
    """The edge behind an address. Port 0 takes a free one, see `port` after `start`."""

    def __init__(self, edge: Edge, host: str, port: int) -> None:
        self._edge = edge
        self._server = SiteServer(build_site(edge), host, port)

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._server.port

    async def start(self) -> None:
        """Listen and return once requests can come. Raises `UserError` when the address is taken."""
        await self._server.start()

    async def is_connected(self) -> bool:
        """Whether payloads can come in."""
        return not self._edge.is_stopping

    async def stop(self) -> int:
        """Drain the edge, then close; returns how much had to be cut off."""
        left = await self._edge.drain()
        await self._server.stop()
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
