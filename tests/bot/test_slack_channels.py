"""Channels looked at behind people's backs: what Slack's answers mean, when it is asked, and what its events say."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from bot.clocks import MovableClock
from bot.slack.channels import ROUND, Channels, read_look
from rules.delivery.channels import Sharing
from rules.delivery.outbox import Outcome
from storage.db import Database
from storage.delivery.channels import FRESH, Look, list_rows, list_shared
from storage.people.workspaces import get_workspace
from tests.alert_rows import add_account
from tests.bot.slack_stage import Stage, stage
from tests.channel_rows import look_at
from tests.conftest import NOW

ROOM, TEAM = "C0ROOM", "C0000001"
# As in the documentation of conversations.info.
CHANNEL: dict[str, Any] = {
    "id": ROOM,
    "name": "acme",
    "is_channel": True,
    "is_private": False,
    "is_shared": False,
    "is_ext_shared": False,
    "is_org_shared": False,
    "is_pending_ext_shared": False,
    "pending_shared": [],
    "is_member": True,
}


@pytest.fixture
async def on(sqlite_database: Database) -> AsyncIterator[Stage]:
    async with stage(sqlite_database) as given:
        given.slack.answers["conversations.info"] = {"channel": CHANNEL}
        with given.database.writing(given.workspace_id) as tx:
            get_workspace(tx).team_channel_id = ""
            add_account(tx, "acme", channel_id=ROOM)
        yield given


def known(on: Stage) -> tuple[Sharing, str, str] | None:
    with on.database.reading(on.workspace_id) as tx:
        row = list_rows(tx, [ROOM]).get(ROOM)
        return (row.sharing, row.name, row.error) if row else None


def asked(on: Stage) -> list[str]:
    return [body["channel"] for body in on.slack.bodies("conversations.info")]


@pytest.mark.parametrize(
    ("flags", "sharing"),
    [
        ({}, Sharing.INTERNAL),
        ({"is_shared": True, "is_ext_shared": True}, Sharing.SHARED),
        ({"is_pending_ext_shared": True}, Sharing.SHARED),
        ({"is_shared": True, "is_org_shared": True}, Sharing.INTERNAL),
        ({"is_shared": True, "is_org_shared": True, "is_ext_shared": True}, Sharing.SHARED),
        ({"is_shared": True}, Sharing.SHARED),
        ({"is_ext_shared": None}, Sharing.UNKNOWN),
        ({"is_ext_shared": "no"}, Sharing.UNKNOWN),
    ],
)
def test_what_slacks_flags_mean(flags: dict[str, Any], sharing: Sharing):
    assert read_look(ROOM, Outcome(), {**CHANNEL, **flags}) == Look(ROOM, sharing, "acme")


def test_an_answer_without_a_channel_tells_nothing():
    assert read_look(ROOM, Outcome(), {}) == Look(ROOM, Sharing.UNKNOWN)


async def test_a_channel_is_asked_about_once_a_day(sqlite_database: Database):
    wall = MovableClock(lambda: NOW)
    async with stage(sqlite_database, wall=wall) as on:
        on.slack.answers["conversations.info"] = {"channel": CHANNEL}
        with on.database.writing(on.workspace_id) as tx:
            add_account(tx, "acme", channel_id=ROOM)
        for moment in (NOW, NOW + FRESH, NOW + FRESH + timedelta(minutes=1)):
            wall.move_to(moment)
            await on.edge.channels.look()
        assert asked(on) == [TEAM, ROOM, TEAM, ROOM]


async def test_a_refusal_leaves_unknown_who_reads_a_channel(on: Stage):
    look_at(on.database, on.workspace_id, ROOM)
    with on.database.writing(on.workspace_id) as tx:
        list_rows(tx, [ROOM])[ROOM].looked_at = NOW - 2 * FRESH
    on.slack.errors["conversations.info"] = "missing_scope"
    assert await on.edge.channels.look() == 1
    assert known(on) == (Sharing.UNKNOWN, "", "missing_scope")


@pytest.mark.parametrize("error", ["ratelimited", "internal_error", "token_revoked"])
async def test_an_answer_that_says_nothing_ends_the_round_and_changes_nothing(on: Stage, error: str):
    with on.database.writing(on.workspace_id) as tx:
        add_account(tx, "other", channel_id="C0Z")
    on.slack.errors["conversations.info"] = error
    assert await on.edge.channels.look() is None
    assert asked(on) == [ROOM]
    assert known(on) is None
    on.slack.errors.clear()
    assert await on.edge.channels.look() == 2
    assert known(on) == (Sharing.INTERNAL, "acme", "")


async def test_a_round_asks_only_so_many(on: Stage):
    with on.database.writing(on.workspace_id) as tx:
        for number in range(7):
            add_account(tx, f"a{number}", channel_id=f"C1{number}")
    assert [await on.edge.channels.look(limit=3) for _ in range(4)] == [3, 3, 2, 0]
    assert sorted(asked(on)) == [ROOM, *(f"C1{number}" for number in range(7))]


async def until_known(on: Stage) -> None:
    async with asyncio.timeout(8):
        while known(on) is None:  # noqa: ASYNC110  # it happens in the database
            await asyncio.sleep(0.02)


async def test_after_what_a_person_did_new_channels_are_looked_at(on: Stage):
    look_at(on.database, on.workspace_id, ROOM)
    looking = asyncio.create_task(on.edge.channels.run(looks_by_itself=False))
    await asyncio.sleep(0.1)
    with on.database.writing(on.workspace_id) as tx:
        tx.session.delete(list_rows(tx, [ROOM])[ROOM])
    await on.command("help")
    await until_known(on)
    looking.cancel()
    assert asked(on) == [ROOM]


async def test_what_was_imported_is_looked_at_without_anybody_doing_a_thing(on: Stage):
    channels = Channels(on.database, on.workspace_id, on.edge.client, on.edge.people.clocks, poll_seconds=0.05)
    looking = asyncio.create_task(channels.run(looks_by_itself=True))
    await until_known(on)
    with on.database.writing(on.workspace_id) as tx:
        tx.session.delete(list_rows(tx, [ROOM])[ROOM])
    await until_known(on)
    looking.cancel()
    assert asked(on) == [ROOM, ROOM]


async def test_many_channels_are_looked_at_round_by_round(on: Stage):
    with on.database.writing(on.workspace_id) as tx:
        for number in range(ROUND + 1):
            add_account(tx, f"a{number}", channel_id=f"B{number:02}")  # before the room
    channels = Channels(on.database, on.workspace_id, on.edge.client, on.edge.people.clocks, seconds_each=0.01)
    looking = asyncio.create_task(channels.run(looks_by_itself=False))
    await until_known(on)
    looking.cancel()
    assert len(asked(on)) == ROUND + 2


async def test_who_begins_to_take_events_looks_at_what_was_known_before(sqlite_database: Database):
    """It may have been shared while nobody was there to hear of it."""
    wall = MovableClock(lambda: NOW)
    async with stage(sqlite_database, wall=wall) as on:
        on.slack.answers["conversations.info"] = {"channel": CHANNEL | {"is_ext_shared": True}}
        names = [f"C{number:03}" for number in range(ROUND + 2)]
        with on.database.writing(on.workspace_id) as tx:
            get_workspace(tx).team_channel_id = ""
            for name in names:
                add_account(tx, name.lower(), channel_id=name)
        look_at(on.database, on.workspace_id, *names)
        wall.move_to(NOW + timedelta(minutes=5))
        channels = Channels(on.database, on.workspace_id, on.edge.client, on.edge.people.clocks, seconds_each=0.01)
        assert await channels.look() == 0, "they were looked at today"
        looking = asyncio.create_task(channels.run(looks_by_itself=False, takes_events=True))
        async with asyncio.timeout(8):
            while len(list_shared_of(on, names)) < len(names):  # noqa: ASYNC110  # it happens in the database
                await asyncio.sleep(0.02)
        channels.nudge()
        await asyncio.sleep(0.1)
        looking.cancel()
        assert sorted(asked(on)) == names, "each once"


def list_shared_of(on: Stage, names: list[str]) -> frozenset[str]:
    with on.database.reading(on.workspace_id) as tx:
        return list_shared(tx, names)


async def test_a_broken_database_ends_no_loop(on: Stage, tmp_path: Any):
    broken = Database(f"sqlite:///{tmp_path / 'none.db'}")
    channels = Channels(broken, on.workspace_id, on.edge.client, on.edge.people.clocks)
    looking = asyncio.create_task(channels.run(looks_by_itself=True))
    await asyncio.sleep(0.2)
    assert not looking.done()
    looking.cancel()
    broken.close()


async def test_a_shared_channel_is_known_with_the_event_and_looked_at_again(on: Stage):
    look_at(on.database, on.workspace_id, ROOM)
    event = {"type": "channel_shared", "connected_team_id": "E0OTHER", "channel": ROOM, "event_ts": "1"}
    assert (await on.event(event)).status == 200
    assert known(on) == (Sharing.SHARED, "c0room", "")
    assert await on.edge.channels.look() == 1
    assert known(on) == (Sharing.INTERNAL, "acme", "")  # a channel of another workspace of one's own organisation


async def test_who_left_a_channel_may_not_have_been_the_last(on: Stage):
    look_at(on.database, on.workspace_id, ROOM, sharing=Sharing.SHARED)
    event = {"type": "channel_unshared", "previously_connected_team_id": "E0OTHER", "channel": ROOM, "event_ts": "1"}
    assert (await on.event({**event, "is_ext_shared": True})).status == 200
    assert known(on) == (Sharing.SHARED, "c0room", "")
    assert await on.edge.channels.look() == 1
    assert known(on) == (Sharing.INTERNAL, "acme", "")


async def test_events_of_channels_that_do_not_matter_change_nothing(on: Stage):
    assert (await on.event({"type": "channel_shared", "channel": "C0ELSEWHERE", "event_ts": "1"})).status == 200
    assert (await on.event({"type": "channel_unshared", "event_ts": "1"}, "Ev2")).status == 200
    assert known(on) is None
