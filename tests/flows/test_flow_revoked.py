"""Slack takes the bot's token away in the middle of posts, people work on for three days, and the app is installed
again: with the same token Milepost goes on by itself, with a new one as soon as it is started with it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlmodel import col, select
from structlog.testing import capture_logs

from bot.clocks import Clocks, read_wall
from bot.doctor.workspace import check_setup
from bot.serving import connect
from bot.settings import Settings
from bot.slack.errors import SlackSetupError
from bot.wiring import wire
from playground.faults import Fault
from rules.delivery.outbox import Pace
from rules.records import EpisodeState
from storage.audit import AuditRow
from storage.db import Tx
from storage.delivery.schedules import ScheduleRow, ScheduleRunRow
from storage.people.workspaces import get_workspace
from tests.flows.conftest import QUICK
from tests.flows.flow_rows import (
    add_account,
    add_alert,
    direct_messages,
    get_alert,
    list_keys,
    list_outbox,
    new_name,
    press,
    read,
    whisper,
)
from tests.flows.flow_stage import CHANNEL, LEAD, ROOM, Json, Stage, open_stage, said

POST = "chat.postMessage"
PROBING = replace(QUICK, probe=0.5)
NOT_PROBING = replace(QUICK, probe=3600.0)
TELLING = "Slack had refused my access since"
COUNT, BEFORE = 8, 3
"""Alerts in each channel; answered posts in the first channel before the token is taken away."""


@dataclass
class Thief:
    """Lets one post land and its answer be lost; with the next call of any kind the token is gone."""

    stage: Stage
    posts: int = 0
    is_done: bool = False
    has_lost: bool = field(init=False, default=False)

    def strike(self, method: str, args: Mapping[str, Any]) -> Fault | None:
        if self.has_lost and not self.is_done:
            self.is_done = True
            self.stage.slack.revoke(find_app(self.stage))
        if method == POST and args.get("channel") == CHANNEL and not self.has_lost:
            self.posts += 1
            self.has_lost = self.posts > BEFORE
            return Fault.drop_after_accept() if self.has_lost else None
        return None


def find_app(stage: Stage) -> str:
    return next(iter(stage.slack.core.workspace.apps))


@dataclass
class Company:
    """Alerts in two channels, in the order in which they were committed."""

    stage: Stage
    ids: dict[str, list[str]]

    def see_all_once(self) -> None:
        for channel, ids in self.ids.items():
            wanted = [f"alert:{each}:1" for each in ids]
            assert [key for key in list_keys(self.stage, channel) if key in wanted] == wanted, channel


async def until(holds: Callable[[], bool], seconds: float = 15.0) -> None:
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110  # it happens in other threads
            await asyncio.sleep(0.02)


def is_paused(stage: Stage) -> bool:
    return read(stage, get_workspace).is_paused


async def steal(stage: Stage) -> Company:
    """Alerts begin to arrive, and the token is taken away in between."""
    thief = Thief(stage)
    stage.slack.faults.append(thief.strike)
    ids: dict[str, list[str]] = {CHANNEL: [], ROOM: []}
    for _ in range(COUNT):
        for channel, waiting in ids.items():
            waiting.append(add_alert(stage, add_account(stage, new_name()), channel))
    await until(lambda: thief.is_done and is_paused(stage))
    assert BEFORE < len(list_keys(stage)) < COUNT, "in the middle"
    await asyncio.sleep(QUICK.timeout)  # what was under way comes back
    return Company(stage, ids)


def list_runs(stage: Stage, since: datetime) -> Counter[tuple[str, str]]:
    """How often each schedule ran for an occurrence since that moment."""

    def ask(tx: Tx) -> Counter[tuple[str, str]]:
        query = (
            select(ScheduleRow.job, ScheduleRow.audience)
            .join(ScheduleRunRow, col(ScheduleRunRow.schedule_id) == ScheduleRow.id)
            .where(ScheduleRunRow.workspace_id == tx.workspace_id, ScheduleRunRow.occurrence > since)
        )
        return Counter((job, audience) for job, audience in tx.session.exec(query))

    return read(stage, ask)


def count_changes(stage: Stage) -> Counter[str]:
    """How often the workspace was paused and resumed."""
    query = select(AuditRow.verb).where(AuditRow.object_kind == "workspace")
    verbs = read(stage, lambda tx: Counter(tx.session.exec(query)))
    return Counter({verb: verbs[verb] for verb in ("pause", "resume")})


def list_calls(stage: Stage, since: int) -> set[str]:
    """The methods of Slack that were called after that entry of its ledger."""
    return {each["name"] for each in stage.slack.ledger if each["n"] > since and each["kind"] == "api"}


async def work_on(stage: Stage, company: Company) -> str:
    """Three days in which nothing is sent and nothing runs, and people look, and take an alert; that alert's id."""
    begun, ledger = stage.clock(), stage.slack.ledger[-1]["n"]
    before = Counter(row.state for row in list_outbox(stage))
    assert before["queued"] >= COUNT, before
    assert not before["dead"], before
    for day in range(1, 4):
        stage.clock.move_to(begun + timedelta(days=day))
        await stage.server.scheduler.tick()
    assert not list_runs(stage, begun), "no job piled up"
    assert Counter(row.state for row in list_outbox(stage)) == before, "nor a message"
    admin = whisper(await stage.command("/cs admin", LEAD))
    assert "Slack refuses my access since" in admin
    assert "If that gave it a new token, start me with it" in admin
    (found,) = [each for each in read(stage, lambda tx: list(check_setup(tx))) if each.about == "workspace"]
    assert "token" in found.said
    taken = company.ids[CHANNEL][0]
    assert (await press(stage, await find_alert(stage, taken), "alerts.take"))["ok"]
    await until(lambda: get_alert(stage, taken).state is EpisodeState.ACKED)
    await asyncio.sleep(2 * PROBING.probe)
    assert not list_calls(stage, ledger) & {POST, "chat.update", "conversations.history", "conversations.replies"}
    return taken


async def see_the_end(stage: Stage, company: Company, taken: str, begun: datetime) -> None:
    """All is there once and in order, an admin was told once, and each job caught up with one run."""
    await stage.settle()
    company.see_all_once()
    assert "taken by" in said(await find_alert(stage, taken))
    assert count_changes(stage) == {"pause": 1, "resume": 1}
    assert [TELLING in each for each in direct_messages(stage, LEAD)].count(True) == 1
    await stage.server.scheduler.tick()
    await stage.settle()
    runs = list_runs(stage, begun)
    assert {job for job, _ in runs} >= {"daily", "cleanup", "wake"}, runs
    assert set(runs.values()) == {1}, runs
    assert all(row.state in {"sent", "cancelled"} for row in list_outbox(stage))


async def find_alert(stage: Stage, alert_id: str) -> Json:
    """The message of an alert as it stands."""
    row = next(each for each in list_outbox(stage, alert_id) if not each.is_update)
    (found,) = [each for each in await stage.messages() if each["ts"] == row.slack_ts]
    return found


async def test_a_revoked_token_that_works_again_is_noticed_by_the_next_probe(tmp_path: Path):
    with capture_logs() as logs:
        async with open_stage(tmp_path, pace=PROBING) as stage:
            company = await steal(stage)
            begun = stage.clock()
            taken = await work_on(stage, company)
            assert (await stage.act("reinstall", keeps_token=True))["ok"]
            await until(lambda: not is_paused(stage), 4 * PROBING.probe)
            await see_the_end(stage, company, taken, begun)
    assert [each["event"] for each in logs].count("workspace_paused") == 1


async def test_a_bot_that_is_started_with_the_new_token_goes_on_at_once(tmp_path: Path):
    async with open_stage(tmp_path, pace=PROBING) as stage:
        company = await steal(stage)
        begun = stage.clock()
        taken = await work_on(stage, company)
        installed = await stage.act("reinstall")
        assert installed["bot_token"] != stage.server.installation.bot_token
        await asyncio.sleep(2 * PROBING.probe)
        assert is_paused(stage), "the old token is as dead as before"
        with pytest.raises(SlackSetupError, match="refuses the bot token"):
            await start_with(stage, stage.server.installation.bot_token, NOT_PROBING)
        assert is_paused(stage)
        await start_with(stage, installed["bot_token"], NOT_PROBING)
        assert not is_paused(stage)
        await see_the_end(stage, company, taken, begun)


async def start_with(stage: Stage, bot_token: str, pace: Pace) -> None:
    """End the process and start another with this token. Raises `SlackSetupError` where Slack refuses it."""
    await stage.server.stop()
    stage.server.wiring.database.close()
    settings: Settings = stage.server.wiring.settings.model_copy(update={"slack_bot_token": SecretStr(bot_token)})
    server = await connect(wire(settings, clocks=Clocks(stage.clock, read_wall)), pace=pace)
    stage.server = server
    await server.start()
