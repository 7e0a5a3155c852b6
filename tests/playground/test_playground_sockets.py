"""Socket Mode on the wire: tickets, envelopes, acknowledgements, several connections, refreshes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from playground.installing import Installed
from playground.server import Playground


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def new_url(slack: Playground, installed: Installed) -> str:
    client = AsyncWebClient(base_url=slack.api_url)
    return str((await client.apps_connections_open(app_token=installed.app_token))["url"])


async def link(session: aiohttp.ClientSession, slack: Playground, installed: Installed) -> Any:
    """A raw connection whose hello was read."""
    socket = await session.ws_connect(await new_url(slack, installed))
    assert (await socket.receive_json())["type"] == "hello"
    return socket


async def test_a_connection_is_greeted_and_its_ticket_is_spent(
    slack: Playground, installed: Installed, session: aiohttp.ClientSession
):
    url = await new_url(slack, installed)
    assert url.startswith("ws://127.0.0.1:")
    async with session.ws_connect(url) as socket:
        hello = await socket.receive_json()
        assert (hello["num_connections"], hello["connection_info"]) == (1, {"app_id": installed.app_id})
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await session.ws_connect(url)
        assert caught.value.status == 403


async def test_an_envelope_is_answered_by_its_id(
    slack: Playground, installed: Installed, session: aiohttp.ClientSession, hands: Any
):
    socket = await link(session, slack, installed)
    running = asyncio.create_task(hands.command("/try"))
    envelope = await socket.receive_json()
    assert envelope["type"] == "slash_commands"
    assert envelope["accepts_response_payload"] is True
    assert envelope["payload"]["command"] == "/try"
    await socket.send_json({"envelope_id": "unknown", "payload": {"text": "wrong"}})
    await socket.send_str("not json")
    for text in ("first", "second"):
        await socket.send_json({"envelope_id": envelope["envelope_id"], "payload": {"text": text}})
    result = await running
    assert [change["message"]["text"] for change in result["messages"]] == ["first"]
    await socket.close()
    outcomes = [entry["outcome"] for entry in slack.ledger if entry["kind"] == "ack"]
    assert sorted(outcomes) == ["double_ack", "invalid", "ok", "unknown_envelope"]


async def test_each_payload_goes_to_one_connection_in_turn(
    slack: Playground, installed: Installed, session: aiohttp.ClientSession, hands: Any
):
    sockets = [await link(session, slack, installed) for _ in range(3)]
    assert slack.count_connections(installed.app_id) == 3
    counts = [0, 0, 0]

    async def answer(number: int) -> None:
        async for message in sockets[number]:
            counts[number] += 1
            await sockets[number].send_json({"envelope_id": message.json()["envelope_id"]})

    tasks = [asyncio.create_task(answer(number)) for number in range(3)]
    for _ in range(6):
        assert (await hands.command("/try"))["ok"]
    assert counts == [2, 2, 2]
    for socket in sockets:
        await socket.close()
    await asyncio.gather(*tasks)


async def test_an_eleventh_connection_is_sent_away(
    slack: Playground, installed: Installed, session: aiohttp.ClientSession
):
    sockets = [await link(session, slack, installed) for _ in range(10)]
    eleventh = await session.ws_connect(await new_url(slack, installed))
    assert (await eleventh.receive_json())["reason"] == "too_many_websockets"
    for socket in [*sockets, eleventh]:
        await socket.close()


async def test_the_sdks_client_follows_a_refresh_and_goes_on(slack: Playground, installed: Installed, hands: Any):
    client = SocketModeClient(installed.app_token, web_client=AsyncWebClient(base_url=slack.api_url))

    async def answer(socket: Any, request: Any) -> None:
        reply = SocketModeResponse(request.envelope_id, payload={"text": "here"})
        await socket.send_socket_mode_response(reply)

    client.socket_mode_request_listeners.append(answer)
    greeted: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def listen(_: Any, message: dict[str, Any], __: str | None) -> None:
        if message["type"] == "hello":
            greeted.put_nowait(message)

    client.message_listeners.append(listen)
    await client.connect()
    async with asyncio.timeout(2):
        await greeted.get()
        await slack.refresh_connections()
        await greeted.get()
    assert (await hands.command("/try"))["messages"][0]["message"]["text"] == "here"
    assert slack.count_connections(installed.app_id) == 1
    await client.close()


async def test_a_retiring_connection_is_used_only_while_there_is_no_other(
    slack: Playground, installed: Installed, session: aiohttp.ClientSession, hands: Any
):
    old = await link(session, slack, installed)
    await slack.refresh_connections()
    disconnect = await old.receive_json()
    assert (disconnect["type"], disconnect["reason"]) == ("disconnect", "refresh_requested")
    running = asyncio.create_task(hands.command("/try"))
    await old.send_json({"envelope_id": (await old.receive_json())["envelope_id"]})
    assert (await running)["ok"]
    fresh = await link(session, slack, installed)
    running = asyncio.create_task(hands.command("/try"))
    await fresh.send_json({"envelope_id": (await fresh.receive_json())["envelope_id"]})
    assert (await running)["ok"]
    await old.close()
    await fresh.close()


async def test_without_socket_mode_there_is_no_connection(slack: Playground, manifest: dict[str, Any]):
    manifest["settings"]["socket_mode_enabled"] = False
    installed = slack.install(manifest, "ana")
    with pytest.raises(SlackApiError) as caught:
        await new_url(slack, installed)
    assert caught.value.response["error"] == "socket_mode_not_enabled"
