"""A workspace whose token Slack refuses: asked about now and then, resumed when the token works again. Owns these
steps; what a person paused is left to a person.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.delivery_desk import Desk
from bot.slack.delivery_requests import ask_token

_log = structlog.get_logger(__name__)


async def probe_for_ever(
    desk: Desk, client_for: Callable[[str], AsyncWebClient | None], on_resume: Callable[[], None]
) -> None:
    """Ask from time to time whether a refused token works again, until cancelled."""
    while True:
        await asyncio.sleep(desk.pace.probe)
        try:
            if await probe(desk, client_for):
                on_resume()
        except Exception:  # noqa: BLE001  # a busy or absent database: the next probe asks again
            _log.exception("probe_failed")


async def probe(desk: Desk, client_for: Callable[[str], AsyncWebClient | None]) -> int:
    """Ask once for every workspace that Slack paused; returns how many go on."""
    resumed = 0
    for workspace_id in await asyncio.to_thread(desk.list_refused, lambda each: client_for(each) is not None):
        client = client_for(workspace_id)
        if client is not None and not (await ask_token(client, desk.pace.timeout)).error:
            resumed += await asyncio.to_thread(desk.resume, workspace_id)
    return resumed
