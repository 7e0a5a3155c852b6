"""A quarter of a team of three in Berlin, New York and Shanghai, March to May 2026, with the clock changes of both
sides of the Atlantic, three countries' holidays, an absence, a move, a process that sleeps and one that is restarted:
every message is there once, at its minute, for its reader, and there is no other.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
import structlog

from tests.flows.quarter_calendar import is_working_day
from tests.flows.quarter_model import Quarter
from tests.flows.quarter_plan import AMARA, COUNTRIES, DEEDS, END, LENA, WEI, ZONES
from tests.flows.quarter_play import open_quarter
from tests.flows.quarter_records import Expected
from tests.flows.quarter_seen import recognise

pytestmark = pytest.mark.long


@pytest.fixture
def _little_logged() -> Iterator[None]:
    """A quarter has some fifteen hundred runs of jobs, of which only what went wrong is of interest."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    yield
    structlog.configure(**before)


@pytest.fixture(scope="module")
def model() -> Quarter:
    """The quarter on paper."""
    played = Quarter()
    played.play()
    return played


@pytest.mark.usefixtures("_little_logged")
async def test_a_quarter_in_three_zones(tmp_path: Path, model: Quarter):
    async with open_quarter(tmp_path) as player:
        await player.play([*DEEDS, *model.replies], END, stops={each.at for each in model.posts})
        found = recognise(player)
    assert compare(model.posts, found) == ""


def compare(expected: list[Expected], found: list[Expected]) -> str:
    """What is missing and what is there without reason or twice, a line each; "" where all is as it should be."""
    wanted, seen = Counter(expected), Counter(found)
    missing = [("missing", each) for each in (wanted - seen).elements()]
    surplus = [("surplus", each) for each in (seen - wanted).elements()]
    lines = sorted((each.at, what, each) for what, each in [*missing, *surplus])
    return "\n".join(f"{what} {at:%a %d %b %H:%M} {each.kind} to {each.to}: {each.about}" for at, what, each in lines)


def test_the_quarter_on_paper_has_what_it_is_about(model: Quarter):
    """Reminders, days without a digest, a cover's mornings, both clock changes, a late Thursday, a move, alerts that
    nobody took.
    """
    minutes = {who: {f"{each.at:%H:%M}" for each in model.posts if each.to == who} for who in ZONES}
    assert minutes[AMARA] == {"14:00", "14:10", "13:00", "13:10"}
    assert minutes[LENA] == {"08:00", "08:10", "07:00", "07:10", "10:20"}
    assert minutes[WEI] == {"01:00", "01:10", "16:00", "16:10", "14:00", "08:00", "04:00"}
    for who in ZONES:
        mine = [each for each in model.posts if each.to == who]
        assert {what for each in mine for what, _name in each.about} >= {"offered", "reminded", "checkin"}
        assert sum(each.kind == "digest" for each in mine) < count_working_days(who)
    assert any(each.to == WEI and ("offered", "Cedar") in each.about for each in model.posts)


def count_working_days(who: str) -> int:
    """Of March to May 2026 in the person's country."""
    days = (date(2026, 3, 3) + timedelta(days=number) for number in range(88))
    return sum(is_working_day(day, COUNTRIES[who]) for day in days)
