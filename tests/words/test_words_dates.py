"""Days, moments and spans: what people type on a Wednesday, and what they read."""

from datetime import UTC, date, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from words.dates import (
    DateError,
    SpanError,
    find_zone,
    format_date,
    format_day_and_time,
    format_span,
    parse_date,
    parse_span,
)
from words.day_phrases import Prefer

WEDNESDAY = date(2026, 3, 4)
LOCALES = ["en-US", "zh-CN", "zh-TW", "de-DE", ""]
DAYS = st.dates(date(1903, 1, 1), date(2196, 12, 31))

TYPED = {
    date(2026, 3, 14): [
        "2026-03-14", "2026-3-14", "2026/03/14", "2026.3.14", "20260314", "14 Mar", "14 march",
        "Mar 14 2026",
        "March 14th, 2026", "14th of March", "14-Mar-26", "14mar", "mar. 14",
        "14.3.2026", "14.3.", "14.3", "14/03/2026",
        "3/14/2026", "3/14",
        "14-03-2026", "by 14 Mar", "  14   MAR ", "3月14日", "3月14号", "三月十四日",
        "2026年3月14日", "２０２６年３月１４日", "in 10 days", "10 days from now", "+10d", "10d", "10天后", "十天後",
    ],
    date(2026, 3, 4): ["today", "Today", "今天", "0d", "wed", "this wed", "本周三"],
    date(2026, 3, 3): ["yesterday", "昨天", "1 day ago", "a day ago", "-1d", "1天前", "last tuesday", "this tue"],
    date(2026, 3, 5): ["tomorrow", "tmr", "明天", "thu", "Thursday", "next thu", "本周四", "周四"],
    date(2026, 3, 6): ["fri", "next fri", "on Friday", "day after tomorrow", "后天", "本周五", "end of week", "eow"],
    date(2026, 2, 27): ["last fri", "last Friday", "上周五"],
    date(2026, 3, 13): ["下周五", "下星期五", "下個禮拜五"],
    date(2026, 3, 11): ["next wed", "下周三", "a week from now", "in a week", "1w", "一周后", "1个星期后"],
    date(2026, 2, 25): ["last wed", "上周三", "a week ago", "1 week ago", "一周前"],
    date(2026, 3, 9): ["next week", "下周", "下週", "next mon"],
    date(2026, 3, 18): ["2w", "2 weeks", "in 2 weeks", "2周后", "两周后", "下下周三"],
    date(2026, 4, 4): ["in 1 month", "1mo", "1个月后", "1 個月後"],
    date(2026, 3, 31): ["end of month", "end of the month", "eom", "月底", "月末", "本月底", "end of quarter", "eoq",
        "q1"],
    date(2026, 4, 30): ["end of next month", "下月底", "下个月底"],
    date(2026, 4, 1): ["next month", "next quarter", "下个月", "1 Apr"],
    date(2026, 6, 30): ["end of q2", "q2 2026", "end of next quarter"],
    date(2026, 12, 31): ["end of year", "eoy", "年底", "今年底", "31 Dec 2026"],
    date(2027, 12, 31): ["明年底", "end of next year"],
    date(2025, 12, 31): ["31 Dec", "31.12."],
    date(2029, 3, 4): ["3年后", "in 3 years"],
}  # fmt: skip


@pytest.mark.parametrize(("text", "day"), [(text, day) for day, texts in TYPED.items() for text in texts])
def test_reads_what_people_type_on_a_wednesday(text: str, day: date):
    assert parse_date(text, WEDNESDAY) == day


@pytest.mark.parametrize(
    ("text", "past", "future"),
    [
        ("14 Mar", date(2025, 3, 14), date(2026, 3, 14)),
        ("3月3日", date(2026, 3, 3), date(2027, 3, 3)),
        ("4 Mar", WEDNESDAY, WEDNESDAY),
        ("wed", WEDNESDAY, WEDNESDAY),
        ("fri", date(2026, 2, 27), date(2026, 3, 6)),
        ("周五", date(2026, 2, 27), date(2026, 3, 6)),
        ("2w", date(2026, 2, 18), date(2026, 3, 18)),
        ("in 2w", date(2026, 3, 18), date(2026, 3, 18)),
        ("2w ago", date(2026, 2, 18), date(2026, 2, 18)),
        ("1.2.2030", date(2030, 2, 1), date(2030, 2, 1)),
    ],
)
def test_the_caller_decides_the_side_that_was_left_open(text: str, past: date, future: date):
    assert parse_date(text, WEDNESDAY, prefer="past") == past
    assert parse_date(text, WEDNESDAY, prefer="future") == future


@pytest.mark.parametrize(
    "text", ["31 Feb", "30/2/2026", "2026-13-01", "29 Feb", "13/13/2026", "2月30日", "32.1.", "in 9999 years", "0/1"]
)
def test_says_when_there_is_no_such_day(text: str):
    with pytest.raises(DateError, match="There is no such day"):
        parse_date(text, WEDNESDAY)


@pytest.mark.parametrize(
    "text",
    ["", " ", "foo", "mar", "3m", "3日", "14", "-", "99999 days", "0001-01-01", "1899-12-31", "2200-01-01", "next",
     "周末",
     "1.5 weeks", "14 Mar 2026 and more", "2026-03-14T10:00", "x" * 3000, "٣/٤/٢٠٢٦", "end of days"],
)  # fmt: skip
def test_refuses_what_is_no_date_and_says_what_to_type(text: str):
    with pytest.raises(DateError, match="Type it like 2026-03-14, 14 Mar"):
        parse_date(text, WEDNESDAY)


def test_a_leap_day_without_a_year_is_read_only_near_one():
    assert parse_date("29 Feb", date(2027, 12, 1)) == date(2028, 2, 29)


def test_the_end_of_a_month_does_not_overflow_into_the_next():
    assert parse_date("in 1 month", date(2026, 1, 31)) == date(2026, 2, 28)
    assert parse_date("end of next month", date(2026, 1, 31)) == date(2026, 2, 28)


@given(
    st.text() | st.from_regex(r"[0-9a-z年月日周下后前./ -]{1,14}", fullmatch=True),
    DAYS,
    st.sampled_from(get_args(Prefer)),
)
def test_any_text_is_a_day_of_the_documented_years_or_a_date_error(text: str, today: date, prefer: Prefer):
    try:
        day = parse_date(text, today, prefer=prefer)
    except DateError:
        return
    assert 1900 <= day.year < 2200


@given(DAYS, DAYS, st.sampled_from(LOCALES), st.sampled_from(get_args(Prefer)))
def test_a_shown_day_can_be_typed_back_on_any_day(day: date, today: date, locale: str, prefer: Prefer):
    assert parse_date(format_date(day, locale), today, prefer=prefer) == day


@given(DAYS, st.integers(-400, 400), st.sampled_from(LOCALES))
def test_a_day_shown_without_its_year_is_read_as_the_same_day(today: date, distance: int, locale: str):
    day = today + timedelta(days=distance)
    shown = format_date(day, locale, today=today)
    assert parse_date(shown, today) == day
    assert (str(day.year) in shown) == (abs(distance) >= 180)


@given(DAYS, st.sampled_from(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]))
def test_next_and_last_weekday_lie_strictly_within_a_week(today: date, name: str):
    after, before = parse_date(f"next {name}", today), parse_date(f"last {name}", today)
    assert 1 <= (after - today).days <= 7
    assert 1 <= (today - before).days <= 7
    assert after.strftime("%a").lower() == before.strftime("%a").lower() == name


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("30m", timedelta(minutes=30)),
        ("30 min", timedelta(minutes=30)),
        ("4h", timedelta(hours=4)),
        ("1.5 h", timedelta(minutes=90)),
        ("1个小时", timedelta(hours=1)),
        ("5分鐘", timedelta(minutes=5)),
        ("3d", timedelta(days=3)),
        ("3天", timedelta(days=3)),
        ("三天", timedelta(days=3)),
        ("2 weeks", timedelta(weeks=2)),
        ("1周", timedelta(weeks=1)),
        ("两个星期", timedelta(weeks=2)),
        ("3,660 days", timedelta(days=3660)),
    ],
)
def test_reads_spans(text: str, span: timedelta):
    assert parse_span(text) == span


@pytest.mark.parametrize(
    "text",
    [
        "",
        "d",
        "3",
        "0d",
        "-3d",
        "3661d",
        "2 months",
        "1 year",
        "1e5d",
        "nan d",
        "9" * 99 + "d",
        "3 d 4 h",
        "0.0000001m",
    ],
)
def test_refuses_spans_without_a_fixed_length(text: str):
    with pytest.raises(SpanError, match="Type it like 4h"):
        parse_span(text)


@given(st.text() | st.from_regex(r"[0-9.,千 ]{0,6}[a-z天周]{0,5}", fullmatch=True))
def test_any_text_is_a_positive_span_or_a_span_error(text: str):
    try:
        span = parse_span(text)
    except SpanError:
        return
    assert timedelta() < span <= timedelta(days=3660)


def test_shows_days_with_the_month_as_a_word():
    assert format_date(date(2026, 3, 14), "en-US") == "14 Mar 2026"
    assert format_date(date(2026, 3, 14), "zh-TW") == "2026年3月14日"
    assert format_date(date(2026, 3, 14), "en-US", today=WEDNESDAY) == "14 Mar"


def test_shows_a_moment_in_the_zone_of_the_reader():
    moment = datetime(2026, 3, 14, 20, 5, tzinfo=UTC)
    assert format_day_and_time(moment, "Asia/Shanghai", "en-US") == "15 Mar 2026 04:05"
    assert format_day_and_time(moment, "Asia/Shanghai", "zh-CN", today=WEDNESDAY) == "3月15日 04:05"
    assert format_day_and_time(moment, "America/Los_Angeles", "en-US") == "14 Mar 2026 13:05"


@pytest.mark.parametrize("zone", ["Foo/Bar", "", "Europe", "../etc/passwd", "/etc/localtime"])
def test_an_unknown_zone_is_shown_as_utc_and_says_so(zone: str):
    moment = datetime(2026, 3, 14, 20, 5, tzinfo=UTC)
    assert find_zone(zone) is None
    assert format_day_and_time(moment, zone, "en-US") == "14 Mar 2026 20:05 UTC"


def test_a_moment_without_a_zone_is_a_mistake_of_the_program():
    with pytest.raises(ValueError, match="without a time zone"):
        format_day_and_time(datetime(2026, 3, 14), "UTC", "en-US")  # noqa: DTZ001 the naive moment is the point


@pytest.mark.parametrize(
    ("days", "english", "chinese"),
    [
        (0, "0 days", "0 天"),
        (1, "1 day", "1 天"),
        (61, "61 days", "61 天"),
        (-1, "−1 day", "−1 天"),
        (1200, "1,200 days", "1,200 天"),
    ],
)
def test_shows_spans_as_whole_days(days: int, english: str, chinese: str):
    assert format_span(days, "en-US") == english
    assert format_span(days, "zh-HK") == chinese
