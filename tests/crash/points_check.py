"""The whole of the crash points on one kind of database: the list of commits and requests, checked against the code and
against the run, and a death at both sides of each, three times.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tests.crash.forked import Forker
from tests.crash.points_seam import Point
from tests.crash.points_sites import read_sites
from tests.crash.points_worlds import Calm, Result, Worlds, die_at

HITS = 3
SIDES, KINDS = ("before", "after"), ("request", "response")
AT_ONCE = 4

COMMITS: Mapping[str, int] = {
    "bot.scheduler:Scheduler._ensure": 3,
    "bot.scheduler:Scheduler._record": 3,
    "bot.scheduler:Scheduler._release": 3,
    "bot.scheduler:Scheduler._renew": 3,
    "bot.scheduler:Scheduler._start_in": 3,
    "bot.slack.delivery_desk:Desk._claim": 3,
    "bot.slack.delivery_desk:Desk._pass_over": 3,
    "bot.slack.delivery_desk:Desk._record_together": 3,
    "bot.slack.delivery_desk:Desk.mark_swept": 3,
    "bot.slack.delivery_desk:Desk.record": 3,
    "bot.slack.delivery_desk:Desk.requeue": 3,
    "bot.slack.handling:Handling._write": 3,
    "pipeline.announcing:_hush": 3,
    "pipeline.announcing:_tell": 3,
    "pipeline.digest:run": 3,
    "pipeline.scan:_close_gone": 2,
    "pipeline.scan:run": 3,
    "pipeline.wake:_run_timers": 3,
    "pipeline.wake:run_clock": 3,
}
"""Every place on the way of a message that commits, and how often the story comes there: 3 stands for 3 and more."""

ELSEWHERE: Mapping[str, str] = {
    "bot.slack.delivery_desk:Desk.release": "a shutdown in order: tests/bot/test_delivery.py",
    "bot.slack.delivery_desk:Desk.resume": "a token that works again: tests/bot/test_delivery.py",
    "bot.slack.handling:Handling._audit_refusal": "says nothing to Slack: tests/bot/test_slack_failures.py",
    "pipeline.announcing:_repeat": "mutes, which send nothing: tests/pipeline",
    "pipeline.wake:_tell_leads": "comes after two working days: tests/pipeline/test_pipeline_wake.py",
}
"""Commits in the same modules that the story does not come to: what they are, and where they are tested."""

REQUESTS = (
    "chat.postMessage",
    "chat.update",
    "conversations.history",
    "conversations.join",
    "conversations.open",
    "conversations.replies",
)


@dataclass(frozen=True)
class Death:
    """The `hit`-th time of a point in all of the story is the `local`-th of its chapter."""

    point: Point
    hit: int
    chapter: Calm
    local: int


def list_deaths(chapters: Sequence[Calm]) -> list[Death]:
    """Every point, the first three times that the story comes there."""
    deaths: list[Death] = []
    hits: Counter[Point] = Counter()
    for chapter in chapters:
        for point, count in chapter.counts.items():
            for local in range(1, min(count, HITS - hits[point]) + 1):
                hits[point] += 1
                deaths.append(Death(point, hits[point], chapter, local))
    return deaths


def check_lists(deaths: Sequence[Death]) -> None:
    """Nobody can add a commit or a request to the way of a message without its being covered here."""
    in_code, listed = set(read_sites().values()), {*COMMITS, *ELSEWHERE}
    assert in_code == listed, f"not listed: {sorted(in_code - listed)}; gone: {sorted(listed - in_code)}"
    commits = [(Point(f"commit {site}", side), most) for site, most in COMMITS.items() for side in SIDES]
    requests = [(Point(f"{kind} {each}", side), HITS) for each in REQUESTS for kind in KINDS for side in SIDES]
    wanted = {(point, hit) for point, most in (*commits, *requests) for hit in range(1, most + 1)}
    found = {(each.point, each.hit) for each in deaths}
    assert found == wanted, f"not reached: {sorted(wanted - found)}; not listed: {sorted(found - wanted)}"


async def die_everywhere(worlds: Worlds, forker: Forker, deaths: Sequence[Death]) -> list[Result]:
    """Every death in a world of its own, a few at once."""
    room = asyncio.Semaphore(AT_ONCE)

    async def die(death: Death) -> Result:
        async with room:
            result = await die_at(worlds, forker, death.chapter, death.point, death.local)
            return replace(result, hit=death.hit)

    return list(await asyncio.gather(*map(die, deaths)))


def report(results: list[Result], path: Path) -> None:
    """The table of all deaths, kept where it can be read; fails if one of them left anything behind."""
    table = "\n".join(map(str, results))
    path.write_text(table, encoding="utf-8")
    bad = [str(each) for each in results if each.fault]
    assert not bad, f"{len(bad)} of {len(results)} deaths left something behind ({path}):\n" + "\n".join(bad)
