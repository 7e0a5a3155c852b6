"""The grammar of dates: which phrase means which day, seen from a given today.

Owns patterns and calendar arithmetic. Refuses sentences about errors: a phrase that is not understood is
None, a day that does not exist is a ValueError or OverflowError of the calendar itself.

Decisions where people differ: 3/4/2026 is 3 April (the day comes first, unless the second number is over 12);
"next fri" and "last fri" are the first Friday strictly after or before today; "this fri" and 本周五 lie in
the week (from Monday) of today, 下周五 and 上周五 in the next or last one; a bare "fri" is the coming one,
today included; the end of a week is its Friday.
"""

import re
from calendar import monthrange
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from typing import Literal

from dateutil.relativedelta import relativedelta

from words.day_names import MONTHS, SHIFTS, UNITS, WEEKDAYS
from words.numerals import CHINESE, read_numeral

Prefer = Literal["past", "future", "nearest"]

_MONTHS_IN_YEAR = 12
_MONTHS_IN_QUARTER = 3
_DAYS_IN_WEEK = 7
_FRIDAY = 4
_CENTURY = 2000
_MOST_UNITS = 10_000
_ONE = frozenset({"a", "an", "one"})
_WEEKS = {"下下": 2, "下": 1, "上": -1, "上上": -2}
_PERIODS = {
    "week": "week", "w": "week", "周": "week", "週": "week",
    "month": "month", "m": "month", "月": "month",
    "quarter": "quarter", "q": "quarter", "季": "quarter", "季度": "quarter",
    "year": "year", "y": "year", "年": "year",
}  # fmt: skip


def read_phrase(text: str, today: date, prefer: Prefer) -> date | None:
    """The day that a cleaned, case-folded phrase means; None when no pattern fits.

    Raises:
        ValueError: a pattern fits, but there is no such day.
        OverflowError: the day is beyond the calendar.
    """
    if (shift := SHIFTS.get(text)) is not None:
        return today + timedelta(days=shift)
    for pattern, read in _PATTERNS:
        match = pattern.fullmatch(text)
        day = read(match, today, prefer) if match else None
        if day:
            return day
    return None


def _read_year_first(match: re.Match[str], _today: date, _prefer: Prefer) -> date:
    return date(int(match["year"]), int(match["month"]), int(match["day"]))


def _read_day_first(match: re.Match[str], today: date, prefer: Prefer) -> date:
    day, month = int(match["day"]), int(match["month"])
    if month > _MONTHS_IN_YEAR:
        day, month = month, day
    return _in_year(match["year"], month, day, today, prefer)


def _read_named_month(match: re.Match[str], today: date, prefer: Prefer) -> date | None:
    month = MONTHS.get(match["name"])
    return _in_year(match["year"], month, int(match["day"]), today, prefer) if month else None


def _read_chinese_day(match: re.Match[str], today: date, prefer: Prefer) -> date | None:
    month, day = _read_count(match["month"]), _read_count(match["day"])
    return _in_year(match["year"], month, day, today, prefer) if month and day else None


def _in_year(year: str | None, month: int, day: int, today: date, prefer: Prefer) -> date:
    if year:
        return date(int(year) + (_CENTURY if len(year) == len("26") else 0), month, day)
    years = (today.year - 1, today.year, today.year + 1)
    return _choose((date(y, month, day) for y in years if day <= _get_month_length(y, month)), today, prefer)


def _get_month_length(year: int, month: int) -> int:
    return monthrange(year, month)[1] if 1 <= month <= _MONTHS_IN_YEAR else 0


def _choose(days: Iterable[date], today: date, prefer: Prefer) -> date:
    """The nearest day on the preferred side of today (which is on both), the later one on a tie."""
    wanted = [day for day in days if prefer == "nearest" or (day >= today if prefer == "future" else day <= today)]
    return min(wanted, key=lambda day: (abs(day - today), day < today))


def _read_weekday(match: re.Match[str], today: date, prefer: Prefer) -> date | None:
    weekday = WEEKDAYS.get(match["name"])
    if weekday is None:
        return None
    which = match["which"] or ("last or today" if prefer == "past" else "coming")
    starts = {
        "this": today - timedelta(days=today.weekday()),
        "next": today + timedelta(days=1),
        "last": today - timedelta(days=_DAYS_IN_WEEK),
        "last or today": today - timedelta(days=_DAYS_IN_WEEK - 1),
    }
    start = starts.get(which, today)
    return start + timedelta(days=(weekday - start.weekday()) % _DAYS_IN_WEEK)


def _read_chinese_weekday(match: re.Match[str], today: date, prefer: Prefer) -> date | None:
    if not match["which"]:
        return _read_weekday(match, today, prefer)
    monday = today - timedelta(days=today.weekday())
    return monday + timedelta(weeks=_WEEKS.get(match["which"], 0), days=WEEKDAYS[match["name"]])


def _read_span(match: re.Match[str], today: date, prefer: Prefer) -> date | None:
    count, unit = _read_count(match["count"]), UNITS.get(match["unit"].lstrip("个個"))
    if count is None or unit is None:
        return None
    marks = {match["before"], match["after"]} - {None, ""}
    is_back = bool(marks & {"-", "ago", "前"}) if marks else prefer == "past"
    return today + unit * (-count if is_back else count)


def _read_count(text: str) -> int | None:
    number = read_numeral("1" if text in _ONE else text)
    if number is None or number > _MOST_UNITS or number != int(number):
        return None
    return int(number)


def _read_end(match: re.Match[str], today: date, _prefer: Prefer) -> date:
    period = _PERIODS[match["period"]]
    day = today + UNITS[period] if match["next"] else today
    return _find_end(period, day)


def _find_end(period: str, day: date) -> date:
    if period == "week":
        return day + timedelta(days=(_FRIDAY - day.weekday()) % _DAYS_IN_WEEK)
    quarter_end = -(-day.month // _MONTHS_IN_QUARTER) * _MONTHS_IN_QUARTER
    month = {"month": day.month, "quarter": quarter_end}.get(period, _MONTHS_IN_YEAR)
    return day + relativedelta(month=month, day=31)


def _read_quarter(match: re.Match[str], today: date, prefer: Prefer) -> date:
    month = int(match["quarter"]) * _MONTHS_IN_QUARTER
    return _in_year(match["year"], month, _get_month_length(today.year, month), today, prefer)


def _read_next_period(match: re.Match[str], today: date, _prefer: Prefer) -> date:
    period = _PERIODS[match["period"]]
    if period == "week":
        return today + timedelta(days=_DAYS_IN_WEEK - today.weekday())
    return _find_end(period, today) + timedelta(days=1)


_YEAR = r"(?P<year>\d{4}|\d{2})"
_ENGLISH_AFTER = r"(?: (?P<after>ago|from now|later))?"
_COUNT = rf"(?P<count>[0-9{CHINESE}]{{1,6}})"
_CHINESE_UNIT = r"(?P<unit>天|周|週|[个個]?(?:星期|礼拜|禮拜)|[个個]月|[个個]?季度"

_Reader = Callable[[re.Match[str], date, Prefer], date | None]
_PATTERNS: tuple[tuple[re.Pattern[str], _Reader], ...] = tuple(
    (re.compile(pattern, re.ASCII), read)
    for pattern, read in (
        (r"(?P<year>\d{4})(?P<mark>[-/.])(?P<month>\d{1,2})(?P=mark)(?P<day>\d{1,2})", _read_year_first),
        (r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})", _read_year_first),
        (rf"(?P<day>\d{{1,2}})(?P<mark>[./-])(?P<month>\d{{1,2}})(?P=mark){_YEAR}", _read_day_first),
        (r"(?P<day>\d{1,2})(?:/|\.)(?P<month>\d{1,2})\.?(?P<year>)", _read_day_first),
        (
            rf"(?P<day>\d{{1,2}})(?:st|nd|rd|th)?[ -]?(?:of )?(?P<name>[a-z]{{3,9}})\.?(?:[ -]{_YEAR})?",
            _read_named_month,
        ),
        (
            rf"(?P<name>[a-z]{{3,9}})\.?[ -]?(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?:[ -]{_YEAR})?",
            _read_named_month,
        ),
        (
            rf"(?:(?P<year>\d{{4}})年)?(?P<month>[0-9{CHINESE}]{{1,3}})月(?P<day>[0-9{CHINESE}]{{1,3}})[日号號]?",
            _read_chinese_day,
        ),
        (r"(?:(?P<which>this|next|last|coming) )?(?P<name>[a-z]{3,9})", _read_weekday),
        (
            r"(?P<which>下下|下|上上|上|本|这|這)?[个個]?(?:周|週|星期|礼拜|禮拜)(?P<name>[一二三四五六日天])",
            _read_chinese_weekday,
        ),
        (
            rf"(?P<before>in |[+-])? ?(?P<count>a|an|one|\d{{1,6}}) ?(?P<unit>[a-z]{{1,8}}){_ENGLISH_AFTER}",
            _read_span,
        ),
        (rf"(?P<before>){_COUNT} ?{_CHINESE_UNIT}|日|年)[以之]?(?P<after>[前后後])", _read_span),
        (rf"(?P<before>){_COUNT} ?{_CHINESE_UNIT})(?P<after>)", _read_span),
        (r"end of (?:the |this |(?P<next>next ))?(?P<period>week|month|quarter|year)", _read_end),
        (r"(?P<next>)eo(?P<period>w|m|q|y)", _read_end),
        (r"(?:(?P<next>下[个個]?|明)|[本今]|[这這][个個]?)?(?P<period>月|季度?|年)[底末]", _read_end),
        (r"(?:end of )?q(?P<quarter>[1-4])(?: (?P<year>\d{4}))?", _read_quarter),
        (r"(?:next |下[个個]?)(?P<period>week|month|quarter|year|周|週|月|季度)", _read_next_period),
    )
)
