"""Nothing new is said in a channel that another organisation reads: a post goes elsewhere, a reply takes its message
with it, and an update covers what stands there.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from sqlmodel import select

from bot.clocks import real_clocks
from bot.slack.delivery import Delivery
from bot.slack.delivery_requests import open_client
from commands.slice import Message
from rules.delivery.channels import Sharing
from rules.delivery.outbox import SHARED, Pace
from rules.records import Enqueue
from storage.alerts.alerts import HISTORY, MESSAGE
from storage.db import Database, Tx
from storage.delivery.outbox import OutboxRow, enqueue
from storage.people.workspaces import get_workspace
from tests.alert_rows import add_account, add_episode, add_member
from tests.bot.fake_slack import FakeSlack, Posted
from tests.channel_rows import look_at
from tests.conftest import NOW, add_workspace
from words.reader import Reader

PACE = Pace(lease=2.0, settle=0.3, spacing=0.02, poll=0.1, timeout=0.4, sweep=60.0)
OWNER, TEAM, ADMIN, CHANNEL = "UANA", "C0000001", "UADMIN", "CACME"
COVERED = "another organisation reads this channel"


@dataclass
class House:
    """A workspace with one alert of Acme, whose channel is `CHANNEL`, its delivery, and the Slack it speaks to."""

    database: Database
    workspace_id: str
    slack: FakeSlack
    delivery: Delivery
    episode_id: str

    async def say(self, *intents: Enqueue) -> None:
        with self.database.writing(self.workspace_id) as tx:
            enqueue(tx, intents, NOW)
        self.delivery.nudge()
        async with asyncio.timeout(8.0):
            while {"queued", "sending", "uncertain"} & {row.state for row in self.rows()}:  # noqa: ASYNC110  # in Slack
                await asyncio.sleep(0.02)

    def share(self, *channels: str) -> None:
        look_at(self.database, self.workspace_id, *channels, sharing=Sharing.SHARED)

    def rows(self) -> list[OutboxRow]:
        with self.database.reading(self.workspace_id) as tx:
            rows = tx.session.exec(select(OutboxRow).where(OutboxRow.workspace_id == tx.workspace_id))
            return sorted(rows, key=lambda row: row.seq)

    def standing(self, channel: str) -> list[Posted]:
        return [each for each in self.slack.standing if each.channel == channel]

    def alert(self) -> Enqueue:
        return Enqueue(MESSAGE, self.episode_id, channel=CHANNEL)

    def update(self) -> Enqueue:
        return Enqueue(MESSAGE, self.episode_id, is_update=True)

    def reply(self, reference: str) -> Enqueue:
        return Enqueue(HISTORY, reference, thread_kind=MESSAGE, thread_reference=self.episode_id)


def render(reference: str, _tx: Tx, _reader: Reader) -> Message:
    return Message(f"said {reference[:8]}", ({"type": "divider"},))


@pytest.fixture
async def house(sqlite_database: Database) -> AsyncIterator[House]:
    workspace_id = add_workspace(sqlite_database)
    with sqlite_database.writing(workspace_id) as tx:
        get_workspace(tx).installer_id = ADMIN
        add_account(tx, "Acme", owner_id=add_member(tx, OWNER).id, channel_id=CHANNEL)
        episode_id = add_episode(tx, "Acme").id
    look_at(sqlite_database, workspace_id, CHANNEL)
    async with FakeSlack() as slack:
        client = open_client("xoxb-test", slack.url)
        renders = {MESSAGE: render, HISTORY: render, "note": render}
        delivery = Delivery(sqlite_database, renders, lambda _: client, real_clocks(), pace=PACE)
        running = asyncio.create_task(delivery.run())
        yield House(sqlite_database, workspace_id, slack, delivery, episode_id)
        await delivery.drain(1.0)
        await running


def states(house: House) -> list[tuple[str, str, str, str]]:
    return [(row.kind, row.channel, row.state, row.error) for row in house.rows() if not row.is_update]


async def test_an_alert_queued_before_its_channel_was_shared_goes_to_the_team(house: House):
    house.share(CHANNEL)
    await house.say(house.alert())
    assert states(house) == [(MESSAGE, CHANNEL, "cancelled", SHARED), (MESSAGE, TEAM, "sent", "")]
    [posted] = house.slack.standing
    assert posted.channel == TEAM
    assert f"Meant for <#{CHANNEL}>, which another organisation reads." in str(posted.blocks)


@pytest.mark.parametrize(("team", "place"), [("", "DANA"), (TEAM, "DANA")])
async def test_without_a_team_channel_of_ones_own_who_is_responsible_is_told(house: House, team: str, place: str):
    with house.database.writing(house.workspace_id) as tx:
        get_workspace(tx).team_channel_id = team
    house.share(CHANNEL, TEAM)
    await house.say(house.alert())
    assert [each.channel for each in house.slack.standing] == [place]


async def test_what_need_not_be_said_elsewhere_is_not_said(house: House):
    house.share(CHANNEL)
    await house.say(Enqueue("note", "1", channel=CHANNEL))
    assert (house.slack.standing, states(house)) == ([], [("note", CHANNEL, "cancelled", SHARED)])


async def test_replies_take_their_message_with_them_once(house: House):
    await house.say(house.alert(), house.reply("first"))
    house.share(CHANNEL)
    await house.say(house.reply("second"), house.reply("third"))
    await house.say(house.reply("fourth"))
    assert [each.text for each in house.standing(CHANNEL)] == [f"said {house.episode_id[:8]}", "said first"]
    head, *replies = house.standing(TEAM)
    assert (head.text, head.thread_ts) == (f"said {house.episode_id[:8]}", "")
    assert [(each.text, each.thread_ts) for each in replies] == [
        ("said second", head.ts),
        ("said third", head.ts),
        ("said fourth", head.ts),
    ]


async def test_an_alert_and_its_replies_in_one_go_arrive_together_elsewhere(house: House):
    house.share(CHANNEL)
    await house.say(house.alert(), house.reply("first"), house.reply("second"))
    assert house.standing(CHANNEL) == []
    head, *replies = house.standing(TEAM)
    assert [(each.text, each.thread_ts) for each in replies] == [("said first", head.ts), ("said second", head.ts)]


async def test_an_update_covers_what_stands_and_uncovers_it_when_the_others_left(house: House):
    await house.say(house.alert())
    house.share(CHANNEL)
    await house.say(house.update())
    [posted] = house.slack.standing
    assert COVERED in posted.text
    assert COVERED in str(posted.blocks[-1])
    look_at(house.database, house.workspace_id, CHANNEL)
    await house.say(house.update())
    assert house.slack.standing[0].text == f"said {house.episode_id[:8]}"


async def test_a_direct_message_and_an_unknown_channel_are_nobodys_business(house: House):
    house.share(CHANNEL)
    await house.say(Enqueue("note", "1", channel=OWNER), Enqueue("note", "2", channel=TEAM))
    assert sorted(each.channel for each in house.slack.standing) == [TEAM, "DANA"]
