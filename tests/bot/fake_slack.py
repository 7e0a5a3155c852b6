"""A hand-written Slack on loopback, just the methods delivery calls, that fails as told: `faults["chat.postMessage"]`
is a list of what happens to the next calls.

A fault is a Slack error code, "429:<seconds>", "500", "hang" (applied, never answered), "drop" (connection closed,
nothing applied), "lost" (applied, connection closed) or "late:<seconds>" (500 at once, applied that much later).
"""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import web


@dataclass
class Posted:
    channel: str
    ts: str
    text: str
    key: str
    thread_ts: str
    at: float
    texts: list[str] = field(default_factory=list)
    blocks: list[Any] = field(default_factory=list)
    is_deleted: bool = False


class FakeSlack:
    def __init__(self) -> None:
        self.faults: dict[str, list[str]] = defaultdict(list)
        self.calls: list[str] = []
        self.messages: list[Posted] = []
        self.joined: set[str] = set()
        self.private: set[str] = set()
        self.gone: set[str] = set()
        self.tokens: set[str] = set()
        self.page_size = 100
        self.away = ""  # a fault that strikes every call
        self.awaited = 1  # nobody is answered until so many tokens have asked
        self._until_lost = -1
        self._late: set[asyncio.Task[None]] = set()
        self._hangs = asyncio.Event()
        self._all_came = asyncio.Event()

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/api/{method}", self._answer)
        app.router.add_get("/api/{method}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/api/"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._hangs.set()
        for task in self._late:
            task.cancel()
        await self._runner.cleanup()

    @property
    def standing(self) -> list[Posted]:
        return [each for each in self.messages if not each.is_deleted]

    def lost_after(self, posts: int) -> None:
        """So many posts are answered; the next is applied and its answer lost; then Slack is away."""
        self._until_lost = posts

    def texts(self, channel: str) -> list[str]:
        return [each.text for each in self.standing if each.channel == channel]

    def count(self, method: str) -> int:
        return self.calls.count(method)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        self.calls.append(method)
        self.tokens.add(request.headers.get("Authorization", ""))
        if len(self.tokens) >= self.awaited:
            self._all_came.set()
        await self._all_came.wait()
        arguments = {**request.query, **dict(await request.post())}
        if request.content_type == "application/json":
            arguments = await request.json()
        fault = self.away or (self.faults[method].pop(0) if self.faults[method] else "")
        if method == "chat.postMessage" and self._until_lost >= 0:
            self._until_lost -= 1
            if self._until_lost < 0:
                fault, self.away = "lost", "drop"
        return await self._fail(request, method, arguments, fault) if fault else self._apply(method, arguments)

    async def _fail(self, request: web.Request, method: str, arguments: Any, fault: str) -> web.StreamResponse:
        name, _, seconds = fault.partition(":")
        if name == "429":
            return web.json_response(
                {"ok": False, "error": "ratelimited"}, status=429, headers={"Retry-After": seconds}
            )
        if name in {"500", "late"}:
            if name == "late":
                self._late.add(asyncio.ensure_future(self._apply_late(method, arguments, float(seconds))))
            return web.Response(status=500, text="oops", content_type="text/html")
        if name in {"hang", "drop", "lost"}:
            if name != "drop":
                self._apply(method, arguments)
            if name == "hang":
                await self._hangs.wait()
            assert request.transport is not None
            request.transport.close()
        return web.json_response({"ok": False, "error": fault})

    async def _apply_late(self, method: str, arguments: Any, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self._apply(method, arguments)

    def _apply(self, method: str, arguments: Any) -> web.Response:
        answer = getattr(self, method.replace(".", "_"))(arguments)
        return web.json_response({"ok": "error" not in answer, **answer})

    def chat_postMessage(self, arguments: Any) -> dict[str, Any]:  # noqa: N802  # Slack's name
        channel = self._home(arguments["channel"])
        if channel in self.gone:
            return {"error": "cannot_dm_bot" if channel.startswith("D") else "is_archived"}
        if channel in self.private or (channel.startswith("CJ") and channel not in self.joined):
            return {"error": "not_in_channel"}
        metadata = arguments["metadata"]
        metadata = json.loads(metadata) if isinstance(metadata, str) else metadata
        ts = f"{1_700_000_000 + len(self.messages)}.000100"
        key = metadata["event_payload"]["key"]
        thread_ts = arguments.get("thread_ts") or ""
        at = asyncio.get_running_loop().time()
        text, blocks = arguments["text"], [arguments.get("blocks")]
        self.messages.append(Posted(channel, ts, text, key, thread_ts, at, [text], blocks))
        return {"channel": channel, "ts": ts}

    def chat_update(self, arguments: Any) -> dict[str, Any]:
        message = next((each for each in self.standing if each.ts == arguments["ts"]), None)
        if message is None:
            return {"error": "message_not_found"}
        message.text = arguments["text"]
        message.texts.append(message.text)
        message.blocks.append(arguments.get("blocks"))
        return {"channel": message.channel, "ts": message.ts}

    def chat_delete(self, arguments: Any) -> dict[str, Any]:
        for each in self.messages:
            each.is_deleted |= each.ts == arguments["ts"]
        return {"channel": arguments["channel"], "ts": arguments["ts"]}

    def auth_test(self, _arguments: Any) -> dict[str, Any]:
        return {"team_id": "T0000001"}

    def conversations_open(self, arguments: Any) -> dict[str, Any]:
        return {"channel": {"id": self._home(arguments["users"])}}

    def conversations_join(self, arguments: Any) -> dict[str, Any]:
        if arguments["channel"] in self.private:
            return {"error": "method_not_supported_for_channel_type"}
        self.joined.add(arguments["channel"])
        return {"channel": {"id": arguments["channel"]}}

    def conversations_history(self, arguments: Any) -> dict[str, Any]:
        return self._page(arguments, [each for each in self.standing if not each.thread_ts])

    def conversations_replies(self, arguments: Any) -> dict[str, Any]:
        return self._page(arguments, [each for each in self.standing if each.thread_ts == arguments["ts"]])

    def _page(self, arguments: Any, messages: list[Posted]) -> dict[str, Any]:
        wanted = [each for each in reversed(messages) if each.channel == arguments["channel"]]
        start = int(arguments.get("cursor") or 0)
        shown = wanted[start : start + self.page_size]
        more = str(start + self.page_size) if start + self.page_size < len(wanted) else ""
        has_metadata = str(arguments.get("include_all_metadata")).lower() in {"1", "true"}
        return {
            "messages": [_to_slack(each, has_metadata=has_metadata) for each in shown],
            "response_metadata": {"next_cursor": more},
        }

    @staticmethod
    def _home(channel: str) -> str:
        return "D" + channel[1:] if channel.startswith("U") else channel


def _to_slack(message: Posted, *, has_metadata: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {"ts": message.ts, "text": message.text}
    if has_metadata:
        shown["metadata"] = {"event_type": "milepost", "event_payload": {"key": message.key}}
    return shown
