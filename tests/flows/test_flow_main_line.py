"""The main line, end to end: import → score → drop → alert → take → log progress → recovered → resolved, by the control
API of the local Slack, over Socket Mode and over signed HTTP.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.flows.flow_stage import CHANNEL, CSM, Stage, find_button, open_stage, said


@pytest.mark.parametrize("is_socket_mode", [True, False], ids=["socket", "http"])
async def test_the_main_line(tmp_path: Path, is_socket_mode: bool):
    async with open_stage(tmp_path, is_socket_mode=is_socket_mode) as stage:
        await asyncio.to_thread(stage.import_customer)
        alert = await let_health_drop(stage)
        await take(stage, alert["ts"])
        await log_progress(stage, alert["ts"])
        await recover(stage, alert["ts"])


async def let_health_drop(stage: Stage) -> dict[str, object]:
    """Three good days, then use falls; the alert comes with the second low score, not with the first. That is a
    Saturday's, so it is told on Monday.
    """
    await stage.pass_days(3, active=40)
    for _morning in ("Friday", "Saturday", "Sunday"):
        await stage.pass_days(1, active=6)
        assert [each for each in await stage.messages() if "Northwind" in said(each)] == []
    await stage.pass_days(1, active=6)
    alert = await stage.wait_for("Northwind")
    text = said(alert)
    assert "health fell" in text
    assert f"<@{CSM}>" in text
    return alert


async def take(stage: Stage, ts: str) -> None:
    """The first click takes the alert and the message says so; a second one is told."""
    action = find_button(await get(stage, ts), "alerts.take")["action_id"]
    assert (await stage.act("press", user=CSM, channel=CHANNEL, ts=ts, action_id=action))["ok"]
    taken = await stage.wait_for("taken by")
    assert taken["ts"] == ts
    find_button(taken, "alerts.resolve")


async def log_progress(stage: Stage, ts: str) -> None:
    """Progress is logged by command; the whisper says what changed and the alert stays one message."""
    answer = await stage.command("/cs log northwind conversion 7.5% after the new landing page")
    whisper = said(answer["messages"][0]["message"])
    assert "7.5\u202f%" in whisper
    assert "was 6.6\u202f%" in whisper
    assert "50\u202f% of the way" in whisper
    assert len([each for each in await stage.messages() if "Northwind" in said(each)]) == 1
    assert (await get(stage, ts))["ts"] == ts


async def recover(stage: Stage, ts: str) -> None:
    """Two good days resolve the alert by itself: the same message, no new post."""
    await stage.pass_days(5, active=42)
    closed = await stage.wait_for("recovered")
    assert closed["ts"] == ts
    assert len([each for each in await stage.messages() if "Northwind" in said(each)]) == 1


async def get(stage: Stage, ts: str) -> dict[str, object]:
    """The channel's message with this timestamp."""
    return next(each for each in await stage.messages() if each["ts"] == ts)
