"""The small web server: what it answers leaves at once."""

from __future__ import annotations

import socket

import pytest
from aiohttp import ClientSession
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from bot.web.listening import SiteServer


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_an_answer_waits_for_no_acknowledgement(host: str):
    server = SiteServer(Starlette(routes=[Route("/", lambda _request: PlainTextResponse("here"))]), host, 0)
    await server.start()
    address = f"[{host}]" if ":" in host else host
    try:
        async with ClientSession() as session, session.get(f"http://{address}:{server.port}/") as response:
            assert await response.text() == "here"
            (connection,) = server._server.server_state.connections
            accepted = connection.transport.get_extra_info("socket")
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
    finally:
        await server.stop()
