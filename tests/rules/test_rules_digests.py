"""What a digest tells, in which order, to whom: properties that hold for any items."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.delivery.digests import (
    MOST,
    Contents,
    Item,
    Matter,
    Section,
    arrange,
    choose_section,
    dump_contents,
    find_digest_day,
    find_weekly_day,
    is_first_of_week,
    is_weekly_due,
    is_worth_telling,
    recall,
    share_out,
)
from rules.people.working_time import WorkingTime
from rules.records import DigestWish, Severity, Tier

DAY = date(2026, 3, 10)
MEMBERS = ("ada", "ben", "che")
days = st.integers(-30, 120).map(lambda days: DAY + timedelta(days=days))


@st.composite
def items(draw: st.DrawFn) -> Item:
    matter = draw(st.sampled_from(Matter))
    is_alert = matter is Matter.ALERT
    has_date = matter not in (Matter.ALERT, Matter.REACHED)
    return Item(
        matter,
        draw(st.text("0123456789abcdef", min_size=1, max_size=6)),
        "account",
        draw(st.sampled_from([*MEMBERS, None])),
        draw(days) if has_date else None,
        draw(st.sampled_from([*Tier, None])),
        draw(st.sampled_from(Severity)) if is_alert else None,
        is_alert and draw(st.booleans()),
    )


many = st.lists(items(), max_size=60, unique_by=lambda item: (item.matter, item.id))


@given(many)
def test_each_item_is_told_or_counted_in_its_own_section(found: list[Item]):
    contents = arrange(found, DAY)
    for section in Section:
        own = [item for item in found if choose_section(item, DAY) is section]
        told = contents.sections.get(section, ())
        assert set(told) <= set(own)
        assert contents.counts.get(section, 0) == len(own)
        assert len(told) == min(len(own), MOST[section])


@given(many, st.randoms())
def test_the_order_does_not_depend_on_the_order_read(found: list[Item], luck: Random):
    mixed = list(found)
    luck.shuffle(mixed)
    assert arrange(mixed, DAY) == arrange(found, DAY)


@given(many)
def test_nothing_told_is_less_urgent_than_what_is_only_counted(found: list[Item]):
    told = arrange(found, DAY).sections.get(Section.TODAY, ())
    rest = [item for item in found if choose_section(item, DAY) is Section.TODAY and item not in told]
    ranks = list(Severity)

    def urgency(item: Item) -> int:
        return ranks.index(item.severity) if item.severity else 0

    if told and rest:
        assert min(urgency(item) for item in told) >= max(urgency(item) for item in rest)
    assert [urgency(item) for item in told] == sorted((urgency(item) for item in told), reverse=True)


@given(many)
def test_what_is_dated_comes_in_the_order_of_its_dates(found: list[Item]):
    contents = arrange(found, DAY)
    for section in (Section.WEEK, Section.RENEWALS):
        dates = [item.due_on or date.max for item in contents.sections.get(section, ())]
        assert dates == sorted(dates)


@given(many, st.data())
def test_a_stored_digest_tells_what_is_still_open(found: list[Item], data: st.DataObject):
    contents = arrange(found, DAY)
    stored = json.loads(json.dumps(dump_contents(contents)))
    assert recall(stored, found) == contents
    left = data.draw(st.lists(st.sampled_from(found), unique=True)) if found else []
    now = recall(stored, left)
    assert set(now.list_items()) == set(contents.list_items()) & set(left)
    for section in Section:
        gone = len(contents.sections.get(section, ())) - len(now.sections.get(section, ()))
        assert now.counts.get(section, 0) == contents.counts.get(section, 0) - gone


@given(many, st.sets(st.sampled_from(MEMBERS)), st.lists(st.sampled_from(MEMBERS), max_size=2, unique=True))
def test_everything_reaches_one_who_is_there_or_the_leads(found: list[Item], there: set[str], leads: list[str]):
    stand_ins = {"che": "ada"} if "ada" in there and "che" not in there else {}
    shared = share_out(found, there, stand_ins, leads)
    for item in found:
        readers = [reader for reader, own in shared.items() if item in own]
        if item.owner_id in there:
            assert readers == [item.owner_id]
        elif item.owner_id in stand_ins:
            assert readers == ["ada"]
        else:
            assert sorted(readers) == sorted(leads)


def alert(severity: Severity, *, is_taken: bool = False) -> Item:
    return Item(Matter.ALERT, "1", "a", severity=severity, is_taken=is_taken)


@pytest.mark.parametrize(
    ("item", "section"),
    [
        (alert(Severity.CRITICAL), Section.TODAY),
        (alert(Severity.HIGH), Section.TODAY),
        (alert(Severity.HIGH, is_taken=True), Section.WEEK),
        (alert(Severity.NOTICE), Section.WEEK),
        (Item(Matter.TASK, "1", "a", due_on=DAY), Section.TODAY),
        (Item(Matter.TASK, "1", "a", due_on=DAY + timedelta(days=6)), Section.WEEK),
        (Item(Matter.TASK, "1", "a", due_on=DAY + timedelta(days=7)), None),
        (Item(Matter.TASK, "1", "a"), None),
        (Item(Matter.RENEWAL, "1", "a", due_on=DAY + timedelta(days=90)), Section.RENEWALS),
        (Item(Matter.RENEWAL, "1", "a", due_on=DAY + timedelta(days=91)), None),
        (Item(Matter.RENEWAL, "1", "a", due_on=DAY - timedelta(days=3)), Section.RENEWALS),
        (Item(Matter.REACHED, "1", "a"), Section.NEWS),
    ],
)
def test_the_section_of_an_item(item: Item, section: Section | None):
    assert choose_section(item, DAY) is section


@pytest.mark.parametrize(
    ("days", "is_first", "is_told"), [(15, False, False), (14, False, True), (15, True, True), (-2, False, True)]
)
def test_renewals_alone_are_told_weekly_and_when_they_are_near(days: int, is_first: bool, is_told: bool):
    contents = arrange([Item(Matter.RENEWAL, "1", "a", due_on=DAY + timedelta(days=days))], DAY)
    assert is_worth_telling(contents, DAY, is_first_of_week=is_first) is is_told
    assert not is_worth_telling(Contents(), DAY, is_first_of_week=True)


EASTER = WorkingTime(country="DE")


@pytest.mark.parametrize(
    ("day", "is_first"),
    [(date(2026, 3, 9), True), (DAY, False), (date(2026, 4, 6), False), (date(2026, 4, 7), True)],
)
def test_the_first_working_day_of_a_week(day: date, is_first: bool):
    assert is_first_of_week(EASTER, day) is is_first
    assert (find_weekly_day(EASTER, day) == day) is is_first


@settings(deadline=None)
@given(st.integers(0, 6), st.sampled_from(["", "DE", "US", "CN"]))
def test_what_is_weekly_comes_on_one_day_of_each_week_or_is_moved_on(weekly_on: int, country: str):
    times = WorkingTime(country=country, weekly_on=weekly_on)
    year = [date(2026, 1, 1) + timedelta(days=number) for number in range(365)]
    found = [day for day in year if find_weekly_day(times, day) == day]
    assert all(times.is_working_day(day) for day in found)
    assert 50 <= len(found) <= 53
    assert all(find_weekly_day(times, day) <= day for day in year)


@settings(deadline=None)
@given(st.integers(0, 6), st.sampled_from(["", "DE", "US", "CN"]), st.sets(st.integers(0, 364), max_size=250))
def test_a_week_is_made_up_for_unless_all_of_it_was_slept_over(weekly_on: int, country: str, slept: set[int]):
    times = WorkingTime(country=country, weekly_on=weekly_on)
    year = [date(2026, 1, 1) + timedelta(days=number) for number in range(365)]
    last: date | None = find_weekly_day(times, year[0]) - timedelta(days=1)
    told: list[date] = []
    for number, day in enumerate(year):
        if number not in slept and times.is_working_day(day) and is_weekly_due(times, day, last):
            told.append(day)
            last = day
    weeks = [find_weekly_day(times, day) for day in told]
    assert len(weeks) == len(set(weeks)), "one for a week"
    awake = {
        find_weekly_day(times, day) for at, day in enumerate(year) if at not in slept and times.is_working_day(day)
    }
    assert set(weeks) == awake


@settings(deadline=None)  # the first call reads a year's holidays
@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001  # aware by `timezones`
    st.sampled_from(["UTC", "Europe/Berlin", "Asia/Tokyo", "America/New_York"]),
)
def test_a_digest_day_is_a_working_day_begun_and_not_over(now: datetime, zone: str):
    times = WorkingTime(zone=zone, country="DE")
    local = times.to_local(now)
    is_expected = time(9, 10) <= local.time() < time(17, 30) and times.is_working_day(local.date())
    assert find_digest_day(times, now) == (local.date() if is_expected else None)
    assert find_digest_day(times, now, DigestWish.OFF) is None
    before = find_weekly_day(times, local.date()) - timedelta(days=1)
    assert find_digest_day(times, now, DigestWish.WEEKLY, before) == find_digest_day(times, now)
    assert find_digest_day(times, now, DigestWish.WEEKLY, before + timedelta(days=1)) is None


def test_who_wants_it_in_the_evening_gets_it_in_the_evening():
    times = WorkingTime(digest_at=time(20))
    assert find_digest_day(times, datetime(2026, 3, 10, 20, 5, tzinfo=UTC)) == DAY
    assert find_digest_day(times, datetime(2026, 3, 10, 19, 55, tzinfo=UTC)) is None
