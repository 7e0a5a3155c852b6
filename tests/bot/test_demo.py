"""The demo: another seed gives other customers in other roles, and the right alerts come for them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from aiohttp import ClientSession

from bot.demo.sample.company import SampleCompany, make_company
from bot.demo.sample.stories import STORIES
from bot.demo.show import Demo, open_demo
from bot.demo.team import ALERTS, CSMS, LEAD, list_owner_emails

OWNERS = list_owner_emails()
WEDNESDAY, SUNDAY = datetime(2026, 3, 4, 9, tzinfo=UTC), datetime(2026, 3, 8, 9, tzinfo=UTC)
# Stories that end in an alert by the morning the demo begins.
LOUD = {"fell last week", "fell and comes back", "silent", "unpaid", "gave notice"}
QUIET = {"steady", "growing", "on premises", "falls tomorrow", "falls next week"}


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


async def list_alerts(demo: Demo) -> str:
    """All texts of `/cs alerts all`, page after page, as the lead sees them."""
    told = await demo.act("command", user=LEAD, channel=ALERTS, text="/cs alerts all")
    pages = [str(told["messages"])]
    while '"alerts.next"' in pages[-1] or "'alerts.next'" in pages[-1]:
        ts = told["messages"][-1]["ts"]
        told = await demo.act("press", user=LEAD, channel=ALERTS, ts=ts, action_id="alerts.next", wait_seconds=5)
        pages.append(str(told["messages"]))
    return "\n".join(pages)


@pytest.mark.parametrize(("seed", "start"), [(11, WEDNESDAY), (42, SUNDAY)])
async def test_a_reshuffled_company_gets_the_right_alerts(tmp_path: Path, seed: int, start: datetime):
    async with open_demo(tmp_path, seed=seed, start=start) as demo:
        alerts = await list_alerts(demo)
        company = demo.ledger.company
        for account in company.accounts:
            if account.story.name in LOUD:
                assert account.name in alerts, account.story.name
            if account.story.name in QUIET:
                assert account.name not in alerts, account.story.name


async def test_tomorrow_brings_what_the_stories_say(tmp_path: Path):
    async with open_demo(tmp_path, seed=5, start=WEDNESDAY) as demo:
        (falling,) = demo.ledger.company.of_story("falls tomorrow")
        (returning,) = demo.ledger.company.of_story("fell and comes back")
        assert falling.name not in await list_alerts(demo)
        await travel(demo, "next week")
        assert falling.name in await list_alerts(demo)
        await travel(demo, "next week")
        assert returning.name not in await list_alerts(demo)


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
