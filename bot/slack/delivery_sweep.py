"""Late copies. Slack may apply a request after the look-up that followed it; then the message was sent again and stands
twice, or was given up meanwhile and should not stand at all. Owns finding such copies later, and deleting those that we
do not know of.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.delivery_desk import Desk
from bot.slack.delivery_requests import Search, delete, find_copies
from rules.delivery.outbox import Verdict, classify
from storage.delivery.outbox import OutboxRow

_LATER = frozenset({Verdict.LIMITED, Verdict.RETRY, Verdict.UNCERTAIN, Verdict.TOKEN})
_log = structlog.get_logger(__name__)


async def sweep_for_ever(desk: Desk, client_for: Callable[[str], AsyncWebClient | None]) -> None:
    """Sweep from time to time, until cancelled."""
    while True:
        await asyncio.sleep(desk.pace.sweep / 10)
        try:
            await sweep(desk, client_for)
        except Exception:  # noqa: BLE001  # whatever failed, the rows are still marked: the next sweep finds them
            _log.exception("sweep_failed")


async def sweep(desk: Desk, client_for: Callable[[str], AsyncWebClient | None]) -> None:
    """Look once for late copies of every message that was sent again, or given up, after an uncertain attempt."""
    for workspace_id in await asyncio.to_thread(desk.list_served, lambda each: client_for(each) is not None):
        client = client_for(workspace_id)
        if client is None:
            continue
        for row, search in await asyncio.to_thread(desk.list_doubtful, workspace_id):
            await _sweep_row(desk, client, row, search)


async def _sweep_row(desk: Desk, client: AsyncWebClient, row: OutboxRow, search: Search) -> None:
    """What Slack does not show or delete just now leaves the row marked, for the next sweep. A copy that is gone
    already (another process swept it) or that Slack never lets us see or delete does not.
    """
    outcome, copies = await find_copies(client, search, desk.pace.timeout)
    if classify(outcome) in _LATER:
        return
    if outcome.error:
        _log.warning("sweep_cannot_read", channel=row.channel, key=row.dedupe_key, error=outcome.error)
    for ts in copies:
        if ts == row.slack_ts:
            continue
        deleted = await delete(client, outcome.channel, ts, desk.pace.timeout)
        if classify(deleted) in _LATER:
            return
        _log.warning("second_copy_removed", channel=outcome.channel, key=row.dedupe_key, error=deleted.error)
    await asyncio.to_thread(desk.mark_swept, row)
