"""The demo: another seed gives other customers in other roles, and the right alerts come for them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from aiohttp import ClientSession
from sqlalchemy import ColumnElement, func, select
from sqlmodel import SQLModel, col

from bot.demo.sample.care import Act, list_beginnings, list_endings
from bot.demo.sample.company import SampleCompany, make_company
from bot.demo.sample.stories import STORIES
from bot.demo.show import Demo, open_demo
from bot.demo.team import ALERTS, CSMS, LEAD, list_owner_emails
from storage.accounts.contacts import ContactRow
from storage.accounts.notes import NoteRow
from storage.db import Tx
from storage.delivery.digests import DigestRow
from storage.delivery.outbox import OutboxRow
from storage.renewals.renewals import RenewalRow
from storage.success.checkin_writes import OFFERS
from storage.success.checkins import CheckinRow
from storage.success.journeys import JourneyRow, MilestoneRow

OWNERS = list_owner_emails()
WEDNESDAY, SUNDAY = datetime(2026, 3, 4, 9, tzinfo=UTC), datetime(2026, 3, 8, 9, tzinfo=UTC)
FRIDAY = datetime(2026, 3, 6, 9, tzinfo=UTC)
# Stories that end in an alert about health or the contract by the day the demo begins.
LOUD = {"fell last week", "fell and comes back", "silent", "unpaid", "gave notice", "expired"}
QUIET = {"steady", "growing", "goal reached", "on premises", "falls tomorrow", "falls next week"}
# Stories whose renewal is near enough to be talked about.
NEAR = {"gave notice", "expired", "sponsor left", "well prepared", "decides soon"}
MOST_POSTS = 15


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The demo exports settings as a user would; give the old ones back."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


def test_the_same_seed_gives_the_same_company_and_another_seed_another():
    day = date(2026, 3, 2)
    first, again, other = (make_company(seed, day, OWNERS) for seed in (1, 1, 2))
    assert first == again
    assert [each.name for each in first.accounts] != [each.name for each in other.accounts]
    assert roles(first) != roles(other)
    assert {each.story.name for each in other.accounts} == set(STORIES)


def roles(company: SampleCompany) -> list[str]:
    """Who plays what, in order."""
    return [each.story.name for each in company.accounts]


async def list_alerts(demo: Demo, subject: str) -> str:
    """All texts of `/cs alerts all SUBJECT`, page after page, as the lead sees them."""
    told = await demo.act("command", user=LEAD, channel=ALERTS, text=f"/cs alerts all {subject}", wait_seconds=10)
    pages = [str(told["messages"])]
    while '"alerts.next"' in pages[-1] or "'alerts.next'" in pages[-1]:
        ts = told["messages"][-1]["ts"]
        told = await demo.act("press", user=LEAD, channel=ALERTS, ts=ts, action_id="alerts.next", wait_seconds=5)
        pages.append(str(told["messages"]))
    return "\n".join(pages)


def reading(demo: Demo) -> AbstractContextManager[Tx]:
    """What the demo's bot has stored."""
    return demo.server.wiring.database.reading(demo.server.installation.workspace_id)


def count(tx: Tx, row: type[SQLModel], *conditions: ColumnElement[bool]) -> int:
    """How many rows there are."""
    return int(tx.session.execute(select(func.count()).select_from(row).where(*conditions)).scalar_one())


@pytest.mark.parametrize(("seed", "start"), [(11, WEDNESDAY), (42, SUNDAY)])
async def test_a_reshuffled_company_gets_the_right_alerts(tmp_path: Path, seed: int, start: datetime):
    async with open_demo(tmp_path, seed=seed, start=start) as demo:
        alerts = await list_alerts(demo, "health") + await list_alerts(demo, "renewals")
        company = demo.ledger.company
        for account in company.accounts:
            if account.story.name in LOUD:
                assert account.name in alerts, account.story.name
            if account.story.name in QUIET:
                assert account.name not in alerts, account.story.name
        check_work(demo)


def check_work(demo: Demo) -> None:
    """Each line that the team typed did what it says."""
    company = demo.ledger.company
    first, then = list_beginnings(company), list_endings(company)
    with reading(demo) as tx:
        assert count(tx, JourneyRow) == typed(first, "journey")
        assert count(tx, ContactRow) == typed(first, "contact")
        assert count(tx, CheckinRow) == typed(first, "checkin")
        assert count(tx, NoteRow) == typed(first, "note")
        assert count(tx, MilestoneRow, col(MilestoneRow.settled_on).is_not(None)) == typed(then, "milestone")
        assert count(tx, RenewalRow, col(RenewalRow.verdict).is_not(None)) == typed(then, "renewal")


def typed(acts: list[Act], command: str) -> int:
    """How often a command was typed."""
    return sum(act.text.split()[0] == command for act in acts)


async def test_the_first_morning_has_passed_for_everybody(tmp_path: Path):
    async with open_demo(tmp_path, start=SUNDAY) as demo:
        assert demo.traveller.clock().date() == date(2026, 3, 9), "a demo on a Sunday begins on Monday"
        assert not demo.slack.core.workspace.ephemerals, "what the team typed is not lying about"
        behind, ended = (demo.ledger.company.of_story(name)[0] for name in ("slow targets", "expired"))
        assert behind.name in await list_alerts(demo, "targets")
        assert ended.name in str(await demo.hands.type(LEAD, "renewals overdue"))
        with reading(demo) as tx:
            digests = tx.session.execute(select(col(DigestRow.recipient)).where(col(DigestRow.is_empty).is_(False)))
            told = tx.session.execute(select(col(OutboxRow.channel)).where(col(OutboxRow.kind) == OFFERS))
            threads = count(tx, RenewalRow, col(RenewalRow.thread_channel) == ALERTS)
            is_open = col(MilestoneRow.settled_on).is_(None)
            late = count(tx, MilestoneRow, is_open, col(MilestoneRow.due_on) < date(2026, 3, 9))
            posts = count(tx, OutboxRow, col(OutboxRow.channel) == ALERTS, col(OutboxRow.is_update).is_(False))
        assert {*CSMS, ALERTS} <= set(digests.scalars())
        assert set(told.scalars()) == set(CSMS)
        assert threads == len(NEAR)
        assert late > 0
        assert posts <= MOST_POSTS, "a newcomer can read it all"


async def test_tomorrow_brings_what_the_stories_say(tmp_path: Path):
    async with open_demo(tmp_path, seed=5, start=WEDNESDAY) as demo:
        (falling,) = demo.ledger.company.of_story("falls tomorrow")
        (returning,) = demo.ledger.company.of_story("fell and comes back")
        assert falling.name not in await list_alerts(demo, "health")
        await travel(demo, "next week")
        assert falling.name in await list_alerts(demo, "health")
        await travel(demo, "next week")
        assert returning.name not in await list_alerts(demo, "health")


async def test_on_a_friday_tomorrow_is_monday_with_its_digests(tmp_path: Path):
    async with open_demo(tmp_path, start=FRIDAY) as demo:
        await travel(demo, "tomorrow")
        assert demo.traveller.clock().date() == date(2026, 3, 9)
        with reading(demo) as tx:
            days = tx.session.execute(select(col(DigestRow.recipient), col(DigestRow.day))).all()
    assert {(csm, date(2026, 3, day)) for csm in CSMS for day in (6, 9)} <= {tuple(each) for each in days}
    assert not [day for _who, day in days if day in {date(2026, 3, 7), date(2026, 3, 8)}]


async def travel(demo: Demo, stride: str) -> None:
    """Let time pass, and wait until the clock has arrived."""
    await demo.act("command", user=CSMS[0], channel=ALERTS, text=f"/cs demo {stride}")
    while demo.traveller.is_moving:  # noqa: ASYNC110  # the walk has no event to wait for, only people to watch it
        await asyncio.sleep(0.1)


async def test_an_odd_stride_is_refused_in_words(tmp_path: Path):
    async with open_demo(tmp_path) as demo, ClientSession() as session:
        body = {"user": LEAD, "channel": ALERTS, "text": "/cs demo yesterday"}
        async with session.post(f"{demo.slack.url}/_play/command", json=body) as response:
            assert "/cs demo tomorrow" in str(await response.json())
