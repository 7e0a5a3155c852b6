"""Slack is away for six hours, from the middle of a morning's digests on: afterwards everything arrives once and in
order, as things stand by then, and no faster than a channel takes it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise

from sqlmodel import col, select

from bot.clocks import Clocks, read_wall
from bot.registry import SLICES
from bot.slack.delivery import Delivery
from bot.slack.delivery_requests import open_client
from bot.wiring import with_help
from commands.slice import Message, Render
from pipeline import digest
from rules.delivery.outbox import Pace
from rules.records import Enqueue, EpisodeState
from storage.alerts.alerts import MESSAGE, get_episode
from storage.db import Database, Tx
from storage.delivery.outbox import OutboxRow, enqueue
from tests.alert_rows import add_account, add_episode, add_member
from tests.bot.fake_slack import FakeSlack
from tests.conftest import NOW
from words.reader import Reader

PACE = Pace(lease=2.0, settle=0.3, spacing=0.05, poll=0.1, timeout=0.3, sweep=60.0)
PEOPLE, NOTES, AWAY = 12, 5, timedelta(hours=6)
MORNING = NOW.replace(hour=9, minute=10)
RENDERS: dict[str, Render] = {kind: render for each in with_help(SLICES) for kind, render in each.renders.items()}


@dataclass
class World:
    """A company, its database and its Slack; hours pass at once."""

    database: Database
    workspace_id: str
    slack: FakeSlack
    now: datetime = MORNING
    versions: dict[str, int] = field(default_factory=dict)

    def render_note(self, reference: str, _tx: Tx, _reader: Reader) -> Message:
        return Message(f"{reference} v{self.versions.get(reference, 1)}")

    def say(self, *intents: Enqueue) -> None:
        with self.database.writing(self.workspace_id) as tx:
            enqueue(tx, intents, self.now)

    def pass_time(self, span: timedelta) -> None:
        """Business time goes on; waits are by the database's clock, so what they are measured from becomes older.
        What delivery has in hand does not wait, and is left alone, or on PostgreSQL the two could wait for each other.
        """
        self.now += span
        with self.database.writing(self.workspace_id) as tx:
            waiting = select(OutboxRow).where(
                OutboxRow.workspace_id == tx.workspace_id, col(OutboxRow.state).in_(["queued", "uncertain"])
            )
            for row in tx.session.exec(waiting.with_for_update(skip_locked=True)):
                row.not_before = row.not_before and row.not_before - span
                row.uncertain_since = row.uncertain_since and row.uncertain_since - span

    def states(self) -> Counter[str]:
        with self.database.reading(self.workspace_id) as tx:
            rows = tx.session.exec(select(OutboxRow.state).where(OutboxRow.workspace_id == tx.workspace_id))
            return Counter(rows)

    def is_done(self) -> bool:
        """Whether all is over. If not, the longest wait there can be goes by."""
        if set(self.states()) <= {"sent", "cancelled"}:
            return True
        self.pass_time(timedelta(minutes=15))
        return False

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(180):
            while not holds():  # noqa: ASYNC110  # it happens in the database and in Slack
                await asyncio.sleep(0.5)


def found_company(world: World) -> dict[str, str]:
    """Each of the people owns an account with an alert that a digest tells of; person → alert."""
    with world.database.writing(world.workspace_id) as tx:
        add_account(tx, "Beta")
        alerts = {}
        for number in range(PEOPLE):
            member = add_member(tx, f"U{number:02}", zone="UTC")
            add_account(tx, f"Acme {number:02}", owner_id=member.id)
            alerts[f"D{number:02}"] = add_episode(tx, f"Acme {number:02}", owner_id=member.id).id
    return alerts


def end_alert(world: World, alert_id: str) -> None:
    with world.database.writing(world.workspace_id) as tx:
        row = get_episode(tx, alert_id)
        row.state, row.closed_at = EpisodeState.RESOLVED, world.now


async def test_after_six_hours_without_slack_all_arrives_once_in_order_as_things_stand(
    database: Database, workspace_id: str
):
    async with FakeSlack() as slack:
        world = World(database, workspace_id, slack)
        alerts = found_company(world)
        client = open_client("xoxb-test", slack.url)
        clocks = Clocks(lambda: world.now, read_wall)
        renders = {**RENDERS, "note": world.render_note}
        delivery = Delivery(database, renders, lambda _: client, clocks, pace=PACE)

        digest.run(database, workspace_id, MORNING)
        slack.lost_after(4)  # the fifth is applied, and not answered; then nothing gets through
        running = asyncio.create_task(delivery.run())
        await world.until(lambda: bool(slack.away))
        arrived = {each.channel for each in slack.messages}
        told = {each.channel: each.text for each in slack.messages}

        # During these hours people work on: notes, changes of them, alerts that come and go.
        notes = [f"n{number}" for number in range(NOTES)]
        world.say(*(Enqueue("note", name, "C1") for name in notes))
        with database.writing(workspace_id) as tx:
            passing = add_episode(tx, "Beta", subject="passing", announced_at=None).id
            lasting = add_episode(tx, "Beta", subject="lasting", announced_at=None).id
        world.say(Enqueue(MESSAGE, passing, "C2"), Enqueue(MESSAGE, lasting, "C2"))
        for quarter in range(24):
            world.pass_time(timedelta(minutes=15))
            delivery.nudge()
            await asyncio.sleep(0.1)
            world.versions["n1"] = quarter
            world.say(Enqueue("note", "n1", is_update=True))
        assert {each.channel for each in slack.messages} == arrived
        for channel in sorted(set(alerts) - arrived)[:3]:
            end_alert(world, alerts[channel])
        end_alert(world, passing)
        assert world.states()["dead"] == 0

        slack.away = ""
        await world.until(world.is_done)
        await delivery.drain(2.0)
        await running

    # Once each, though the first of those without an answer had arrived.
    assert max(Counter(each.key for each in slack.messages).values()) == 1
    assert slack.texts("C1") == ["n0 v1", "n1 v23", "n2 v1", "n3 v1", "n4 v1"]
    assert slack.count("chat.update") == 0
    # What is over is not told of; what lasts is, in its place.
    assert len(slack.texts("C2")) == 1
    ended = {alerts[channel] for channel in sorted(set(alerts) - arrived)[:3]}
    for channel, alert_id in alerts.items():
        assert len(slack.texts(channel)) == (0 if alert_id in ended else 1), channel
    assert all(slack.texts(channel) == [text] for channel, text in told.items())
    times = [each.at for each in slack.messages if each.channel == "C1"]
    assert min(later - earlier for earlier, later in pairwise(times)) >= PACE.spacing * 0.8
