"""The hand-written Slack with two more of Slack's ways: it names messages by its own clock and searches by it, and it
may sit on an answer.
"""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web

from bot.clocks import read_wall
from tests.bot.fake_slack import FakeSlack


class SlackOfNow(FakeSlack):
    """`slow` has texts whose message is posted at once and answered only after `answer_all`."""

    def __init__(self) -> None:
        super().__init__()
        self.slow: set[str] = set()
        self._is_answering = asyncio.Event()

    def answer_all(self) -> None:
        self._is_answering.set()

    async def __aexit__(self, *error: object) -> None:
        self.answer_all()
        await super().__aexit__(*error)

    def chat_postMessage(self, arguments: Any) -> dict[str, Any]:  # noqa: N802  # Slack's name
        answer = super().chat_postMessage(arguments)
        if "ts" in answer:
            stamp = f"{read_wall().timestamp():.6f}"
            self.messages[-1].ts = answer["ts"] = stamp
        return answer

    def _page(self, arguments: Any, messages: list[Any]) -> dict[str, Any]:
        oldest = float(arguments.get("oldest") or 0)
        return super()._page(arguments, [each for each in messages if float(each.ts) > oldest])

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        answer = await super()._answer(request)
        if self.messages and self.messages[-1].text in self.slow and self.calls[-1] == "chat.postMessage":
            self.slow.discard(self.messages[-1].text)
            await self._is_answering.wait()
        return answer
