"""Delivery against a Slack that fails in every way it knows: nothing lost, nothing doubled, order kept."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from itertools import pairwise

import pytest
from sqlmodel import select
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from bot.clocks import real_clocks
from bot.slack.delivery import Delivery
from bot.slack.delivery_desk import Desk
from bot.slack.delivery_pauses import probe
from bot.slack.delivery_requests import open_client
from bot.slack.delivery_sweep import sweep
from commands.people.setup import GREETING
from commands.slice import Message
from rules.delivery.outbox import Pace
from rules.people.setup import ChangeSetup
from rules.records import Actor, Enqueue, Role
from storage.db import Database, Tx
from storage.delivery.outbox import OutboxRow, enqueue
from storage.people.connections import BY_HAND, connect_team, pause_workspace, resume_workspace
from storage.people.members import add_by_slack_id
from storage.people.workspaces import apply_setup, get_workspace
from tests.bot.fake_slack import FakeSlack
from tests.conftest import NOW, add_workspace
from words.reader import Reader

PACE = Pace(lease=2.0, settle=0.3, spacing=0.05, poll=0.1, timeout=0.4, sweep=60.0)
POST = "chat.postMessage"


@dataclass
class Truth:
    """What renders show: the state of the world, which a test may change."""

    version: int = 1
    is_gone: bool = False
    is_broken: bool = False

    def render(self, reference: str, _tx: Tx, _reader: Reader) -> Message | None:
        if self.is_broken:
            raise ValueError(reference)
        return None if self.is_gone else Message(f"{reference} v{self.version}")


@dataclass
class House:
    """A database, a Slack and a running delivery between them."""

    database: Database
    workspace_id: str
    slack: FakeSlack
    truth: Truth
    delivery: Delivery

    def say(self, *intents: Enqueue) -> None:
        with self.database.writing(self.workspace_id) as tx:
            enqueue(tx, intents, NOW)
        self.delivery.nudge()

    def rows(self) -> list[OutboxRow]:
        with self.database.reading(self.workspace_id) as tx:
            rows = tx.session.exec(select(OutboxRow).where(OutboxRow.workspace_id == tx.workspace_id))
            return sorted(rows, key=lambda row: row.seq)

    def states(self) -> list[str]:
        return [row.state for row in self.rows()]

    async def until(self, holds: Callable[[], bool], seconds: float = 5.0) -> None:
        async with asyncio.timeout(seconds):
            while not holds():  # noqa: ASYNC110  # what it waits for happens in the database and in Slack
                await asyncio.sleep(0.02)

    async def sweep(self) -> None:
        desk = Desk(self.database, {}, real_clocks(), replace(PACE, sweep=0.0))
        await sweep(desk, lambda _: open_client("xoxb-test", self.slack.url))

    async def probe(self) -> int:
        desk = Desk(self.database, {}, real_clocks(), PACE)
        resumed = await probe(desk, lambda _: open_client("xoxb-test", self.slack.url))
        self.delivery.nudge()
        return resumed

    def paused(self) -> str:
        with self.database.reading(self.workspace_id) as tx:
            return get_workspace(tx).paused_reason

    async def until_done(self) -> None:
        await self.until(lambda: not {"queued", "sending", "uncertain"} & set(self.states()))


@pytest.fixture
async def house(sqlite_database: Database) -> AsyncIterator[House]:
    truth = Truth()
    workspace_id = add_workspace(sqlite_database)
    async with FakeSlack() as slack:
        client = open_client("xoxb-test", slack.url)
        renders = {"note": truth.render, "reply": truth.render, GREETING: truth.render}
        delivery = Delivery(sqlite_database, renders, lambda _: client, real_clocks(), pace=PACE)
        running = asyncio.create_task(delivery.run())
        yield House(sqlite_database, workspace_id, slack, truth, delivery)
        await delivery.drain(1.0)
        await running


def note(reference: str, channel: str = "C1") -> Enqueue:
    return Enqueue("note", reference, channel=channel)


async def test_what_lands_of_a_message_that_was_given_up_is_removed(house: House):
    house.slack.faults[POST] = ["late:1.0"]
    house.say(Enqueue("note", "n1", "C1"))
    await house.until(lambda: house.states() == ["uncertain"])
    house.truth.is_gone = True
    await house.until_done()
    assert house.states() == ["cancelled"]
    await house.until(lambda: bool(house.slack.standing))
    await house.sweep()
    assert not house.slack.standing
    assert house.rows()[0].uncertain_since is None


async def test_the_log_names_the_row_of_each_message_of_a_batch_that_slack_refused(house: House):
    house.slack.gone |= {"C1", "C2"}
    with capture_logs(processors=[merge_contextvars]) as logs:
        house.say(*(Enqueue("note", channel, channel) for channel in ("C1", "C2")))
        await house.until_done()
    said = {each["outbox"]: (each["reference"], each["channel"]) for each in logs if each["event"] == "message_dead"}
    assert said == {row.id: (row.channel, row.channel) for row in house.rows() if row.kind == "note"}


async def test_messages_go_out_in_order_and_spaced(house: House):
    house.say(*(note(f"n{at}") for at in range(5)), note("other", "C2"))
    await house.until_done()
    assert house.slack.texts("C1") == [f"n{at} v1" for at in range(5)]
    times = [each.at for each in house.slack.messages if each.channel == "C1"]
    assert min(b - a for a, b in pairwise(times)) >= PACE.spacing * 0.8
    assert house.slack.texts("C2") == ["other v1"]


async def test_a_nudge_from_another_thread_sends_at_once(sqlite_database: Database):
    workspace_id = add_workspace(sqlite_database)
    async with FakeSlack() as slack:
        client = open_client("xoxb-test", slack.url)
        slow = replace(PACE, poll=60.0)
        delivery = Delivery(sqlite_database, {"note": Truth().render}, lambda _: client, real_clocks(), pace=slow)
        running = asyncio.create_task(delivery.run())
        house = House(sqlite_database, workspace_id, slack, Truth(), delivery)
        await asyncio.sleep(0.2)
        thread = threading.Thread(target=house.say, args=[note("a")])
        thread.start()
        await house.until(lambda: slack.texts("C1") == ["a v1"], 2.0)
        thread.join()
        await delivery.drain(1.0)
        await running


async def test_a_message_that_took_too_long_to_render_is_sent_with_the_next_claim(sqlite_database: Database):
    workspace_id, slow = add_workspace(sqlite_database), iter([0.3] * 3)
    lease = replace(PACE, lease=PACE.timeout + 0.2)

    def render(reference: str, _tx: Tx, _reader: Reader) -> Message:
        threading.Event().wait(next(slow, 0.0))
        return Message(reference)

    async with FakeSlack() as slack:
        client = open_client("xoxb-test", slack.url)
        delivery = Delivery(sqlite_database, {"note": render}, lambda _: client, real_clocks(), pace=lease)
        running = asyncio.create_task(delivery.run())
        house = House(sqlite_database, workspace_id, slack, Truth(), delivery)
        house.say(note("a"))
        await house.until(lambda: slack.texts("C1") == ["a"], 2.5)
        await house.until_done()
        assert house.rows()[0].attempts == 1
        await delivery.drain(1.0)
        await running


@pytest.mark.parametrize("fault", ["hang", "lost"])
async def test_an_accepted_message_without_an_answer_is_found_not_repeated(house: House, fault: str):
    house.slack.faults[POST] = [fault]
    house.say(note("a"), note("b"))
    await house.until_done()
    assert house.slack.texts("C1") == ["a v1", "b v1"]
    assert house.rows()[0].slack_ts == house.slack.messages[0].ts


@pytest.mark.parametrize("fault", ["drop", "500", "internal_error", "fatal_error"])
async def test_a_message_that_did_not_land_is_sent_after_the_settle_time(house: House, fault: str):
    house.slack.faults[POST] = [fault]
    house.say(note("a"), note("b"))
    await house.until_done()
    assert house.slack.texts("C1") == ["a v1", "b v1"]
    assert house.slack.count("conversations.history") == 1


async def test_a_message_applied_within_the_settle_time_is_not_doubled(house: House):
    house.slack.faults[POST] = ["late:0.1"]
    house.say(note("a"))
    await house.until_done()
    assert house.slack.texts("C1") == ["a v1"]
    assert len(house.slack.messages) == 1


async def test_a_message_applied_after_the_settle_time_is_removed_again(house: House):
    house.slack.faults[POST] = ["late:0.8"]
    house.say(note("a"))
    await house.until_done()
    await house.until(lambda: len(house.slack.messages) == 2)
    await house.sweep()
    (left,) = house.slack.standing
    assert house.rows()[0].slack_ts == left.ts
    await house.sweep()
    assert house.slack.count("chat.delete") == 1


@pytest.mark.parametrize("fault", ["500", "429:0", "drop", "internal_error"])
async def test_a_copy_that_slack_would_not_delete_is_removed_by_the_next_sweep(house: House, fault: str):
    house.slack.faults[POST] = ["late:1.5"]
    house.say(note("a"))
    await house.until_done()
    await house.until(lambda: len(house.slack.messages) == 2)
    house.slack.faults["chat.delete"] = [fault]
    await house.sweep()
    assert len(house.slack.standing) == 2
    async with asyncio.timeout(5):
        while len(house.slack.standing) > 1:  # on a busy machine a look-up may time out
            await house.sweep()


async def test_a_copy_that_may_never_be_deleted_is_not_tried_for_ever(house: House):
    house.slack.faults[POST] = ["late:1.5"]
    house.say(note("a"))
    await house.until_done()
    await house.until(lambda: len(house.slack.messages) == 2)
    house.slack.faults["chat.delete"] = ["cant_delete_message"]
    await house.sweep()
    await house.sweep()
    assert house.slack.count("chat.delete") == 1


async def test_where_history_cannot_be_read_no_copy_is_looked_for_again(house: House):
    """Else a few such messages would be all that any sweep ever looks at."""
    house.slack.faults[POST] = ["late:1.5"]
    house.say(note("a"))
    await house.until_done()
    await house.until(lambda: len(house.slack.messages) == 2)
    before = house.slack.count("conversations.history")
    house.slack.faults["conversations.history"] = ["channel_not_found"]
    await house.sweep()
    await house.sweep()
    assert house.slack.count("conversations.history") == before + 1


async def test_a_look_up_reads_every_page(house: House):
    house.slack.page_size = 1
    house.say(note("a"), note("b"))
    await house.until_done()
    house.slack.faults[POST] = ["lost"]
    house.say(note("c"))
    await house.until(lambda: house.states()[-1] == "uncertain")
    for at in range(3):
        house.slack.chat_postMessage(
            {"channel": "C1", "text": "chatter", "metadata": {"event_payload": {"key": f"other{at}"}}}
        )
    await house.until_done()
    assert house.slack.texts("C1").count("c v1") == 1


async def test_a_look_up_that_fails_is_made_again(house: House):
    house.slack.faults[POST] = ["lost"]
    house.slack.faults["conversations.history"] = ["429:0", "500"]
    house.say(note("a"))
    await house.until(lambda: house.slack.count("conversations.history") == 3, 8.0)
    await house.until_done()
    assert house.slack.texts("C1") == ["a v1"]


async def test_a_limited_method_waits_as_long_as_slack_asks(house: House):
    house.slack.faults[POST] = ["429:1"]
    house.say(note("a"))
    await house.until(lambda: house.slack.count(POST) == 1)
    first = asyncio.get_running_loop().time()
    await house.until_done()
    assert house.slack.messages[0].at - first >= 0.9
    assert house.slack.count("conversations.history") == 0


async def test_an_update_shows_the_truth_of_now_where_the_post_stands(house: House):
    house.say(note("a", "U7"))
    await house.until_done()
    house.truth.version = 2
    house.say(Enqueue("note", "a", is_update=True, priority=0))
    await house.until_done()
    (message,) = house.slack.messages
    assert (message.channel, message.text) == ("D7", "a v2")


async def test_an_uncertain_update_is_made_again(house: House):
    house.say(note("a"))
    await house.until_done()
    house.truth.version = 2
    house.slack.faults["chat.update"] = ["drop"]
    house.say(Enqueue("note", "a", is_update=True))
    await house.until_done()
    assert house.slack.texts("C1") == ["a v2"]


async def test_an_update_of_a_deleted_message_is_given_up(house: House):
    house.say(note("a"))
    await house.until_done()
    house.slack.messages[0].is_deleted = True
    house.say(Enqueue("note", "a", is_update=True))
    await house.until_done()
    assert house.states() == ["sent", "cancelled"]


async def test_a_reply_waits_for_its_message_and_goes_into_its_thread(house: House):
    house.slack.faults[POST] = ["drop"]
    house.say(note("a"), Enqueue("reply", "r", thread_kind="note", thread_reference="a", priority=0))
    await house.until_done()
    parent, reply = house.slack.messages
    assert (reply.text, reply.thread_ts) == ("r v1", parent.ts)


async def test_a_lost_reply_is_looked_up_in_its_thread(house: House):
    house.say(note("a"))
    await house.until_done()
    house.slack.faults[POST] = ["lost"]
    house.say(Enqueue("reply", "r", thread_kind="note", thread_reference="a"))
    await house.until_done()
    assert house.slack.count("conversations.replies") == 1
    assert house.slack.texts("C1") == ["a v1", "r v1"]


async def test_a_lost_direct_message_is_looked_up_in_its_conversation(house: House):
    house.slack.faults[POST] = ["lost"]
    house.say(note("a", "U7"))
    await house.until_done()
    assert house.slack.texts("D7") == ["a v1"]
    assert house.rows()[0].posted_channel == "D7"


async def test_a_public_channel_is_joined_once(house: House):
    house.say(note("a", "CJ1"))
    await house.until_done()
    assert house.slack.texts("CJ1") == ["a v1"]
    assert house.slack.count("conversations.join") == 1


async def test_what_cannot_be_sent_is_kept_and_told_to_the_admin_once(house: House):
    with house.database.writing(house.workspace_id) as tx:
        get_workspace(tx).installer_id = "U9"
    house.slack.private.add("C3")
    house.say(note("a", "C3"), note("b", "C3"), note("c"))
    await house.until_done()
    assert house.slack.texts("C1") == ["c v1"]
    (told,) = house.slack.texts("D9")
    assert "<#C3>" in told
    assert "not_in_channel" in told
    assert [row.state for row in house.rows() if row.channel == "C3"] == ["dead", "dead"]


async def test_whoever_chose_a_channel_that_cannot_be_greeted_is_told(house: House):
    with house.database.writing(house.workspace_id) as tx:
        get_workspace(tx).installer_id = "U9"
        chooser = add_by_slack_id(tx, "U5", role=Role.LEAD, zone="UTC", locale="en-US")
        actor = Actor("member", chooser.id)
        (line_id,) = apply_setup(tx, [ChangeSetup({"team_channel_id": "C3"})], actor, NOW)
    house.slack.private.add("C3")
    house.say(Enqueue(GREETING, line_id, channel="C3"))
    await house.until_done()
    (told,) = house.slack.texts("D5")
    assert "<#C3>" in told
    assert house.slack.texts("D9") == []


async def test_an_unreadable_history_leaves_the_message_to_a_person(house: House):
    house.slack.faults[POST] = ["lost"]
    house.slack.faults["conversations.history"] = ["missing_scope"]
    house.say(note("a"))
    await house.until_done()
    (row,) = house.rows()
    assert (row.state, row.error) == ("dead", "may have been posted, history cannot be read: missing_scope")


async def test_a_revoked_token_pauses_the_workspace_until_it_connects_again(house: House):
    house.slack.faults[POST] = ["token_revoked"]
    house.say(note("a"), note("b", "C2"))
    await house.until(lambda: house.slack.count(POST) >= 1)
    await asyncio.sleep(0.3)
    with house.database.reading(house.workspace_id) as tx:
        assert get_workspace(tx).paused_reason == "token_revoked"
    before = house.slack.count(POST)
    await asyncio.sleep(0.3)
    assert house.slack.count(POST) == before
    with house.database.write() as session:
        connect_team(session, "T0000001", "Test", "UBOT", NOW)
    await house.until_done()
    assert house.slack.texts("C1") == ["a v1"]


async def test_a_pause_by_slack_is_asked_about_and_told_once_it_is_over(house: House):
    with house.database.writing(house.workspace_id) as tx:
        get_workspace(tx).installer_id = "U9"
    house.slack.faults[POST] = ["token_revoked"]
    house.say(note("a"), note("b", "C2"))
    await house.until(lambda: house.paused() == "token_revoked")
    house.slack.faults["auth.test"] = ["account_inactive"]
    assert await house.probe() == 0
    assert house.paused() == "token_revoked"
    assert await house.probe() == 1
    await house.until_done()
    assert [house.slack.texts(channel) for channel in ("C1", "C2")] == [["a v1"], ["b v1"]]
    (told,) = house.slack.texts("D9")
    assert "token_revoked" in told


async def test_what_a_person_paused_only_a_person_resumes(house: House):
    with house.database.writing(house.workspace_id) as tx:
        assert pause_workspace(tx, BY_HAND, NOW, Actor("member", "m1"))
    house.say(note("a"))
    assert await house.probe() == 0
    with house.database.write() as session:
        connect_team(session, "T0000001", "Test", "UBOT", NOW)
    await asyncio.sleep(0.3)
    assert (house.paused(), house.slack.calls) == (BY_HAND, [])
    with house.database.writing(house.workspace_id) as tx:
        assert resume_workspace(tx, Actor("member", "m1"), NOW)
    await house.until_done()
    assert house.slack.texts("C1") == ["a v1"]


async def test_nothing_left_to_say_cancels(house: House):
    house.truth.is_gone = True
    house.say(note("a"))
    await house.until_done()
    assert house.states() == ["cancelled"]
    assert house.slack.calls == []


async def test_a_broken_render_does_not_hold_up_other_channels(house: House):
    house.truth.is_broken = True
    house.say(note("a"))
    await house.until(lambda: house.rows()[0].error != "")
    house.truth.is_broken = False
    house.say(note("b", "C2"))
    await house.until_done()
    assert house.slack.texts("C1") == ["a v1"]


async def test_an_unreachable_slack_is_tried_again_without_a_look_up(sqlite_database: Database, unused_tcp_port: int):
    workspace_id = add_workspace(sqlite_database)
    client = open_client("xoxb-test", f"http://127.0.0.1:{unused_tcp_port}/api/")
    delivery = Delivery(sqlite_database, {"note": Truth().render}, lambda _: client, real_clocks(), pace=PACE)
    running = asyncio.create_task(delivery.run())
    async with FakeSlack() as slack:
        house = House(sqlite_database, workspace_id, slack, Truth(), delivery)
        house.say(note("a"))
        await house.until(lambda: "no connection" in house.rows()[0].error)
        client.base_url = slack.url
        await house.until_done()
        assert slack.calls == [POST]
        await delivery.drain(1.0)
        await running


async def test_a_shutdown_marks_what_may_have_been_posted_and_frees_the_rest(house: House):
    house.slack.faults[POST] = ["hang"]
    house.say(note("a"), note("b"))
    await house.until(lambda: len(house.slack.messages) == 1)
    await house.delivery.drain(0.0)
    assert house.states() == ["uncertain", "queued"]


async def test_the_sweep_leaves_single_messages_alone(house: House):
    house.slack.faults[POST] = ["500"]
    house.say(note("a"))
    await house.until_done()
    await house.sweep()
    assert house.slack.texts("C1") == ["a v1"]
    assert house.rows()[0].uncertain_since is None
