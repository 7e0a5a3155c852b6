"""An alert whose channel is gone is told to who is responsible, else to the team, else to the admin: each once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import pytest
from sqlmodel import select

from bot.clocks import real_clocks
from bot.slack.delivery import Delivery
from bot.slack.delivery_requests import open_client
from commands.slice import Message
from rules.delivery.outbox import Pace
from rules.records import Actor, Enqueue
from storage.alerts.adjustments import PROPOSAL
from storage.alerts.alerts import ESCALATION, MESSAGE, REMINDER, SUMMARY
from storage.alerts.escalations import LEADS, REMINDERS
from storage.db import Database, Tx
from storage.delivery.digests import DIGEST
from storage.delivery.outbox import OutboxRow, enqueue
from storage.delivery.stuck import Wanted, requeue
from storage.people.workspaces import get_workspace
from storage.success.checkin_writes import OFFERS
from storage.success.checkin_writes import SUMMARY as CHECKIN
from storage.success.checkins import CheckinRow
from tests.alert_rows import TODAY, add_account, add_episode, add_member
from tests.bot.fake_slack import FakeSlack
from tests.conftest import NOW, add_workspace
from words.reader import Reader

PACE = Pace(lease=2.0, settle=0.3, spacing=0.05, poll=0.1, timeout=0.4, sweep=60.0)
OWNER, TEAM, ADMIN, CHANNEL = "UANA", "C0000001", "UADMIN", "CACME"


@dataclass
class Alerts:
    """A workspace with one alert, its delivery, and the Slack it speaks to."""

    database: Database
    workspace_id: str
    slack: FakeSlack
    delivery: Delivery
    episode_id: str

    def say(self, *intents: Enqueue) -> None:
        with self.database.writing(self.workspace_id) as tx:
            enqueue(tx, intents, NOW)
        self.delivery.nudge()

    def alert(self) -> None:
        self.say(Enqueue(MESSAGE, self.episode_id, channel=CHANNEL))

    def rows(self) -> list[OutboxRow]:
        with self.database.reading(self.workspace_id) as tx:
            rows = tx.session.exec(select(OutboxRow).where(OutboxRow.workspace_id == tx.workspace_id))
            return sorted(rows, key=lambda row: row.seq)

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(8.0):
            while not holds():  # noqa: ASYNC110  # it happens in the database and in Slack
                await asyncio.sleep(0.02)

    async def until_done(self) -> None:
        await self.until(lambda: not {"queued", "sending", "uncertain"} & {row.state for row in self.rows()})

    def alerts_in(self, channel: str) -> int:
        return sum(text.startswith("alert") for text in self.slack.texts(channel))


def render(_reference: str, _tx: Tx, _reader: Reader) -> Message:
    return Message("alert", ({"type": "divider"},))


@pytest.fixture
async def alerts(sqlite_database: Database) -> AsyncIterator[Alerts]:
    workspace_id = add_workspace(sqlite_database)
    with sqlite_database.writing(workspace_id) as tx:
        get_workspace(tx).installer_id = ADMIN
        owner = add_member(tx, OWNER)
        add_account(tx, "Acme", owner_id=owner.id)
        episode_id = add_episode(tx, "Acme", summary_id="s1").id
    async with FakeSlack() as slack:
        slack.gone.add(CHANNEL)
        client = open_client("xoxb-test", slack.url)
        kinds = (MESSAGE, "reply", SUMMARY, REMINDER, REMINDERS, ESCALATION, LEADS, PROPOSAL, CHECKIN, OFFERS, DIGEST)
        renders = dict.fromkeys(kinds, render)
        delivery = Delivery(sqlite_database, renders, lambda _: client, real_clocks(), pace=PACE)
        running = asyncio.create_task(delivery.run())
        yield Alerts(sqlite_database, workspace_id, slack, delivery, episode_id)
        await delivery.drain(1.0)
        await running


async def test_the_responsible_is_told_by_direct_message(alerts: Alerts):
    alerts.alert()
    await alerts.until_done()
    assert [alerts.alerts_in(place) for place in ("DANA", TEAM, "DADMIN")] == [1, 0, 0]
    (told,) = alerts.slack.texts("DADMIN")
    assert f"<#{CHANNEL}>" in told
    assert [(row.kind, row.state, row.instead_of) for row in alerts.rows()] == [
        (MESSAGE, "dead", ""),
        (MESSAGE, "sent", CHANNEL),
        ("dead_letter", "sent", ""),
    ]


async def test_a_fallback_says_where_it_was_meant_to_stand(alerts: Alerts):
    alerts.alert()
    await alerts.until_done()
    alerts.say(Enqueue(MESSAGE, alerts.episode_id, is_update=True))
    await alerts.until_done()
    posted = next(each for each in alerts.slack.messages if each.channel == "DANA")
    assert [f"Meant for <#{CHANNEL}>" in str(blocks) for blocks in posted.blocks] == [True, True]


@pytest.mark.parametrize(
    ("gone", "told"),
    [({"DANA"}, [0, 1, 0]), ({"DANA", TEAM}, [0, 0, 1]), ({"DANA", TEAM, "DADMIN"}, [0, 0, 0])],
)
async def test_the_next_place_is_tried_once_where_one_is_gone(alerts: Alerts, gone: set[str], told: list[int]):
    alerts.slack.gone |= gone
    alerts.alert()
    await alerts.until_done()
    assert [alerts.alerts_in(place) for place in ("DANA", TEAM, "DADMIN")] == told
    places = [row.channel for row in alerts.rows() if row.kind == MESSAGE]
    assert len(places) == len(set(places)) == len(gone) + (2 if sum(told) else 1)


async def test_replies_follow_the_message_to_its_fallback(alerts: Alerts):
    alerts.alert()
    await alerts.until_done()
    alerts.say(Enqueue("reply", "r1", thread_kind=MESSAGE, thread_reference=alerts.episode_id))
    await alerts.until_done()
    post, reply = (each for each in alerts.slack.messages if each.channel == "DANA")
    assert reply.thread_ts == post.ts


async def test_a_reply_that_finds_the_channel_gone_takes_its_message_along(alerts: Alerts):
    alerts.slack.gone.clear()
    alerts.alert()
    await alerts.until_done()
    alerts.slack.gone.add(CHANNEL)
    alerts.say(*(Enqueue("reply", each, thread_kind=MESSAGE, thread_reference=alerts.episode_id) for each in "123"))
    await alerts.until_done()
    head, *replies = (each for each in alerts.slack.messages if each.channel == "DANA")
    assert (head.thread_ts, [each.thread_ts for each in replies]) == ("", [head.ts] * 3)
    with alerts.database.writing(alerts.workspace_id) as tx:
        requeue(tx, Wanted(), Actor("member", "m1"), NOW)
    alerts.say(Enqueue(MESSAGE, alerts.episode_id, is_update=True))
    await alerts.until_done()
    assert alerts.alerts_in("DANA") == 4, "nothing is said again"
    assert len(head.texts) == 2, "and the message that is drawn anew is the one that can be"


async def test_a_reply_where_no_place_is_left_stays_dead(alerts: Alerts):
    alerts.slack.gone.clear()
    alerts.alert()
    await alerts.until_done()
    alerts.slack.gone |= {CHANNEL, "DANA", TEAM, "DADMIN"}
    alerts.say(Enqueue("reply", "1", thread_kind=MESSAGE, thread_reference=alerts.episode_id))
    await alerts.until_done()
    assert not {row.state for row in alerts.rows() if row.channel != CHANNEL} - {"dead", "cancelled"}
    assert len(alerts.slack.messages) == 1


async def test_what_is_announced_anew_is_told_anew(alerts: Alerts):
    for epoch in "12":
        alerts.say(Enqueue(MESSAGE, alerts.episode_id, CHANNEL, dedupe_key=f"{MESSAGE}:{alerts.episode_id}:{epoch}"))
        await alerts.until_done()
    assert alerts.alerts_in("DANA") == 2


@pytest.mark.parametrize("kind", [DIGEST, ESCALATION, SUMMARY])
async def test_what_was_meant_for_a_channel_reaches_the_admin(alerts: Alerts, kind: str):
    alerts.slack.gone.add(TEAM)
    alerts.say(Enqueue(kind, "s1", channel=TEAM))
    await alerts.until_done()
    assert [alerts.alerts_in(place) for place in ("DANA", "DADMIN")] == [0, 1]


@pytest.mark.parametrize("kind", [DIGEST, OFFERS, LEADS, REMINDERS, PROPOSAL])
async def test_what_was_meant_for_one_person_reaches_the_admin_and_no_channel(alerts: Alerts, kind: str):
    alerts.slack.gone.add("DANA")
    alerts.say(Enqueue(kind, "1", channel=OWNER))
    await alerts.until_done()
    assert [alerts.alerts_in(place) for place in (TEAM, "DADMIN")] == [0, 1]
    assert f"Meant for <@{OWNER}>" in str([each.blocks for each in alerts.slack.messages])


async def test_a_reminder_that_cannot_reach_its_owner_reaches_the_admin_each_time(alerts: Alerts):
    alerts.slack.gone.add("DANA")
    for epoch in "12":
        key = f"{REMINDER}:{alerts.episode_id}:{epoch}:{OWNER}"
        alerts.say(Enqueue(REMINDER, alerts.episode_id, OWNER, dedupe_key=key))
        await alerts.until_done()
    assert alerts.alerts_in("DADMIN") == 2


async def test_a_check_in_is_told_to_the_owner_of_the_account(alerts: Alerts):
    with alerts.database.writing(alerts.workspace_id) as tx:
        author = add_member(tx, "UBEN")
        checkin = CheckinRow(
            workspace_id=tx.workspace_id, account_id="Acme", author_id=author.id, happened_on=TODAY, created_at=NOW
        )
        tx.session.add(checkin)
    alerts.say(Enqueue(CHECKIN, checkin.id, channel=CHANNEL))
    await alerts.until_done()
    assert [alerts.alerts_in(place) for place in ("DANA", "DBEN", TEAM)] == [1, 0, 0]


async def test_a_dead_alert_that_was_told_elsewhere_is_not_told_again(alerts: Alerts):
    alerts.slack.gone.add("DANA")
    alerts.alert()
    await alerts.until_done()
    alerts.slack.gone.clear()
    with alerts.database.writing(alerts.workspace_id) as tx:
        assert requeue(tx, Wanted(), Actor("member", "m1"), NOW) == 2
    alerts.delivery.nudge()
    await alerts.until_done()
    assert [row.state for row in alerts.rows() if row.kind == MESSAGE] == ["cancelled", "cancelled", "sent"]
    assert alerts.alerts_in(TEAM) == 1


async def test_what_another_place_would_not_help_stays_dead(alerts: Alerts):
    alerts.slack.gone.clear()
    alerts.slack.faults["chat.postMessage"] = ["invalid_blocks"]
    alerts.alert()
    await alerts.until_done()
    assert [row.kind for row in alerts.rows()] == [MESSAGE, "dead_letter"]
