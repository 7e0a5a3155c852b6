"""Slack and the database out of order, on the real stage: in the end each message stands once, in order, or it is a
dead letter that somebody was told of.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from playground.faults import Fault
from rules.records import Actor, EpisodeState
from storage.delivery.outbox import OutboxRow
from storage.delivery.stuck import Wanted, requeue
from storage.people.connections import connect_team
from storage.people.workspaces import get_workspace
from tests.flows.flow_rows import (
    add_account,
    add_alert,
    add_target,
    direct_messages,
    get_alert,
    list_keys,
    list_outbox,
    list_rows,
    new_name,
    nothing_saved,
    open_form,
    press,
    read,
    submit,
    told,
    wait_for_form,
    whisper,
    write,
)
from tests.flows.flow_stage import ARCHIVED, CHANNEL, LEAD, PRIVATE, Stage, said

pytestmark = pytest.mark.asyncio(loop_scope="module")
POST, UPDATE = "chat.postMessage", "chat.update"
FAULTS: dict[str, Callable[[], Fault]] = {
    "429": lambda: Fault.rate_limit(1),
    "500": lambda: Fault.fail(500),
    "hang": lambda: Fault.hang(0.5),  # longer than delivery waits
    "late": lambda: Fault.apply_late(0.2),  # within the settle time
    "dropped": Fault.drop_after_accept,
    "internal_error": lambda: Fault.refuse("internal_error"),
}


def disturb(stage: Stage, method: str, fault: Fault, times: int = 1, channel: str = CHANNEL) -> list[str]:
    """Let so many of our calls fail from now on; the list fills with those that did."""
    struck: list[str] = []

    def strike(called: str, args: Mapping[str, Any]) -> Fault | None:
        if called != method or len(struck) >= times or args.get("channel", channel) != channel:
            return None
        struck.append(called)
        return fault

    stage.slack.faults.append(strike)
    return struck


async def drained(stage: Stage, seconds: float = 15.0) -> list[OutboxRow]:
    """The outbox once nothing in it is under way or waits."""
    async with asyncio.timeout(seconds):
        while any(row.state in {"queued", "sending", "uncertain"} for row in list_outbox(stage)):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    return list_outbox(stage)


def announce(stage: Stage, count: int = 1, channel: str = CHANNEL) -> tuple[list[str], list[str]]:
    """So many alerts in a row: the accounts' names and the alerts' ids."""
    names = [new_name() for _ in range(count)]
    return names, [add_alert(stage, add_account(stage, name), channel) for name in names]


# ---------------------------------------------------------------- the database


@contextmanager
def locked(stage: Stage) -> Iterator[None]:
    """As another process does that writes, and does not come to an end."""
    path = make_url(stage.server.wiring.database.url).database or ""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


async def test_a_locked_database_is_told_nothing_is_saved_and_reads_go_on(stage: Stage):
    name = "Nautilus"
    account_id = add_account(stage, name)
    add_target(stage, account_id)
    view = await open_form(stage, f"/cs log {name} conversion")
    await settle(stage)
    with locked(stage), nothing_saved(stage):
        command = await stage.command(f"/cs log {name} conversion 7%")
        form = await submit(stage, view, value="8%", note="a long story")
        assert "busy right now and nothing was saved. Try again in a few seconds" in whisper(command)
        assert "busy right now" in next(iter(form["errors"].values()))
        for typed in ("show {}", "health {}", "target {}", "alerts {}"):
            assert name in whisper(await stage.command(f"/cs {typed.format(name)}")), typed
    assert (await submit(stage, view))["ok"], "the same form, as it was typed"
    await told(stage, f"Logged 8\u202f% for *{name}*")


async def settle(stage: Stage) -> None:
    """A moment for what delivery and the edge still write."""
    await drained(stage)
    assert await stage.server.edge.tasks.drain(5) == 0


async def test_a_button_while_the_database_is_locked(stage: Stage):
    (name,), (episode_id,) = announce(stage)
    alert = await stage.wait_for(name)
    await settle(stage)
    with locked(stage), nothing_saved(stage):
        assert (await press(stage, alert, "alerts.take"))["ok"]
        await told(stage, "busy right now and nothing was saved")
    assert (await press(stage, alert, "alerts.take"))["ok"]
    await stage.wait_for(f"*{name}* health is red: 31 — taken by")
    assert get_alert(stage, episode_id).state is EpisodeState.ACKED


async def test_delivery_outlives_a_locked_database(stage: Stage):
    names, ids = announce(stage, 2)
    with locked(stage):
        await asyncio.sleep(1.5)
    await drained(stage)
    assert [key for key in list_keys(stage) if any(each in key for each in ids)] == [f"alert:{each}:1" for each in ids]
    assert all(row.state == "sent" for each in ids for row in list_outbox(stage, each)), names


# ---------------------------------------------------------------- Slack


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_post_that_fails_stands_once_and_in_order(stage: Stage, fault: str):
    struck = disturb(stage, POST, FAULTS[fault]())
    _, ids = announce(stage, 3)
    await drained(stage)
    assert struck == [POST]
    assert [key for key in list_keys(stage) if any(each in key for each in ids)] == [f"alert:{each}:1" for each in ids]
    assert [row.state for each in ids for row in list_outbox(stage, each)] == ["sent"] * 3


@pytest.mark.parametrize("fault", ["429", "500", "hang", "dropped"])
async def test_an_update_that_fails_is_made_in_the_end(stage: Stage, fault: str):
    (name,), (episode_id,) = announce(stage)
    alert = await stage.wait_for(name)
    struck = disturb(stage, UPDATE, FAULTS[fault]())
    assert (await press(stage, alert, "alerts.take"))["ok"]
    assert (await stage.command(f"/cs alerts resolve {name} they called back"))["ok"]
    await drained(stage)
    assert struck == [UPDATE]
    (standing,) = [each for each in await stage.messages() if name in said(each)]
    assert "resolved by" in said(standing)
    thread = [said(each) for each in await stage.messages(thread_ts=alert["ts"])][1:]
    assert [each.split(" ")[0].strip("*") for each in thread] == ["Taken", "Resolved"]
    assert get_alert(stage, episode_id).state is EpisodeState.RESOLVED


async def test_many_faults_in_a_row_still_end_in_one_message_each(stage: Stage):
    kinds = [FAULTS[each]() for each in ("dropped", "500", "dropped", "429")]
    counts = [disturb(stage, POST, each) for each in kinds]
    _, ids = announce(stage, 4)
    await drained(stage, 30)
    assert [len(each) for each in counts] == [1, 1, 1, 1]
    assert [key for key in list_keys(stage) if any(each in key for each in ids)] == [f"alert:{each}:1" for each in ids]


async def test_a_limit_holds_back_no_answers_to_people(stage: Stage):
    """Posts wait as long as Slack asks; commands are answered meanwhile."""
    disturb(stage, POST, Fault.rate_limit(2))
    (name,), _ = announce(stage)
    assert "what you can type" in whisper(await stage.command("/cs help"))
    assert [each for each in await stage.messages() if name in said(each)] == []
    assert f"*{name}*" in whisper(await stage.command(f"/cs show {name}"))
    await drained(stage)
    await stage.wait_for(name)


# ---------------------------------------------------------------- dead letters


@pytest.mark.parametrize(
    ("channel", "error", "advice"),
    [
        (ARCHIVED, "is_archived", "restore it, or choose another one with /cs setup"),
        (PRIVATE, "channel_not_found", "invite me there, or choose another one with /cs setup"),
    ],
)
async def test_a_channel_that_cannot_be_posted_in_is_told_to_the_admin(
    stage: Stage, channel: str, error: str, advice: str
):
    _, ids = announce(stage, 2, channel)
    await drained(stage)
    rows = [row for each in ids for row in list_outbox(stage, each)]
    posts, stand_ins = [row for row in rows if not row.instead_of], [row for row in rows if row.instead_of]
    assert [(row.channel, row.state, row.error) for row in posts] == [(channel, "dead", error)] * 2
    assert [(row.instead_of, row.state) for row in stand_ins] == [(channel, "sent")] * 2
    notices = [each for each in direct_messages(stage, LEAD) if f"<#{channel}>" in each]
    assert len(notices) == 1, "one notice for both"
    assert advice in notices[0]
    assert "This message is kept" in notices[0]
    await mend(stage, channel)
    await drained(stage)
    assert list_keys(stage, channel) == [], "it was said elsewhere"
    again = [row for each in ids for row in list_outbox(stage, each) if not row.instead_of]
    assert [row.state for row in again] == ["cancelled"] * 2
    _, (later,) = announce(stage, 1, channel)
    await drained(stage)
    assert list_keys(stage, channel) == [f"alert:{later}:1"], "what comes now stands there"


async def mend(stage: Stage, channel: str) -> None:
    """What the notice asks for: the channel restored or the bot invited, and its dead letters sent again."""
    stage.slack.core.workspace.get_channel(channel).is_archived = False
    stage.slack.join(channel, stage.server.installation.bot_user_id)
    write(stage, lambda tx: requeue(tx, Wanted(channel=channel), Actor.job("test"), stage.clock()))


# ---------------------------------------------------------------- the token


async def test_a_revoked_token_pauses_the_workspace_and_loses_nothing(stage: Stage):
    disturb(stage, POST, Fault.refuse("token_revoked"), times=1000)
    _, ids = announce(stage, 2)
    await wait_until_paused(stage)
    before = list_rows(stage)
    await asyncio.sleep(0.3)
    assert list_rows(stage) == before
    assert [row.state for each in ids for row in list_outbox(stage, each)] == ["queued", "queued"]
    stage.slack.faults.clear()
    resume(stage)
    await drained(stage)
    assert [key for key in list_keys(stage) if any(each in key for each in ids)] == [f"alert:{each}:1" for each in ids]


async def wait_until_paused(stage: Stage) -> None:
    async with asyncio.timeout(5):
        while not read(stage, get_workspace).is_paused:  # noqa: ASYNC110  # what pauses it is delivery's thread
            await asyncio.sleep(0.02)


def resume(stage: Stage) -> None:
    """What a start with a working token does."""
    installation = stage.server.installation
    with stage.server.wiring.database.write() as session:
        connect_team(session, installation.team_id, installation.team_name, installation.bot_user_id, stage.clock())


async def test_a_person_who_acts_is_answered_though_slack_fails_behind_the_acknowledgement(stage: Stage):
    """A form that Slack does not open is one click away."""
    name = new_name()
    account_id = add_account(stage, name)
    add_target(stage, account_id)
    disturb(stage, "views.open", Fault.fail(500))
    assert (await stage.command(f"/cs log {name} conversion"))["ok"]
    note = await told(stage, "It is one click away")
    await press(stage, note, "edge.rerun")
    view = await wait_for_form(stage)
    assert (await submit(stage, view, value="7%"))["ok"]
    await told(stage, f"Logged 7\u202f% for *{name}*")
