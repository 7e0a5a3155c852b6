"""Days, moments and spans of time, as people type and read them.

Owns text to date or timedelta and the way both are shown. Refuses to know what day it is: `today` is an
argument. Every year shown has four digits and every month is a word or marked as one, so that no reader
takes the day for the month.
"""

import re
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel.dates import format_date as format_pattern
from babel.dates import get_day_names
from dateutil.tz import gettz

from words.day_names import HOURS, MINUTES, UNITS
from words.day_phrases import Prefer, read_phrase
from words.errors import WordsError, excerpt
from words.figures import MINUS
from words.language import get_language, translate_many
from words.numerals import clean, read_numeral

_LONGEST = 60
_YEARS = range(1900, 2200)
_LONGEST_SPAN = timedelta(days=3660)
_ZONE = re.compile(r"[A-Za-z]+(?:/[A-Za-z_-]+){1,2}")
_OPENING = re.compile(r"(?:on|by|until|due) ")
_SPAN = re.compile(r"(?P<count>[^a-z天日周週个個星礼禮小分]+?) ?[个個]?(?P<unit>[^\W\d_]+)")
_PATTERNS = {
    "en": ("d MMM y", "d MMM"),
    "zh_Hans": ("y年M月d日", "M月d日"),
    "zh_Hant": ("y年M月d日", "M月d日"),
}


class DateError(WordsError):
    """The text is not a day, or one that does not exist."""


class SpanError(WordsError):
    """The text is not a span of time."""


def parse_date(text: str, today: date, *, prefer: Prefer = "nearest") -> date:
    """Read a day of the years 1900 to 2199: ISO, `14 Mar`, `14/03/2026`, `next fri`, `2w`, `eom`, `下周五`, `3天后`.

    `prefer` decides what leaves the side open: a date without a year (the nearest one in the past, in the
    future, or of both; today is on both sides), a bare weekday and a bare span such as `2w` (coming, unless
    "past"). All other decisions are listed in `words.day_phrases`.

    Raises:
        DateError: not readable, no such day, or outside those years.
    """
    phrase = " ".join(clean(text[: 2 * _LONGEST]).casefold().replace(",", " ").split())
    phrase = _OPENING.sub("", phrase, count=1)
    try:
        day = read_phrase(phrase, today, prefer) if len(phrase) <= _LONGEST else None
    except (ValueError, OverflowError):
        raise DateError("There is no such day: “{text}”. Type it like 2026-03-14.", text=excerpt(text)) from None
    if day is None or day.year not in _YEARS:
        raise DateError(
            "“{text}” is not a date I can read. Type it like 2026-03-14, 14 Mar, next fri, in 3 days or end of month.",
            text=excerpt(text),
        )
    return day


def parse_span(text: str) -> timedelta:
    """Read `30m`, `4h`, `3d`, `2 weeks`, `1.5 h`, `3天`, `1周`: more than nothing, at most 3,660 days.

    Months and years are refused, because their length depends on the day they start.

    Raises:
        SpanError: not readable or out of range.
    """
    match = _SPAN.fullmatch(clean(text).casefold()) if len(text) <= _LONGEST else None
    count = read_numeral(match["count"]) if match else None
    unit = _find_unit(match["unit"]) if match else None
    if count is not None and unit is not None and count <= _LONGEST_SPAN / unit:
        span = timedelta(seconds=round(count * int(unit.total_seconds())))
        if span:
            return span
    raise SpanError("“{text}” is not a span of time I can read. Type it like 4h, 3d or 2 weeks.", text=excerpt(text))


def format_date(day: date, locale: str, *, today: date | None = None) -> str:
    """`14 Mar 2026` or `2026年3月14日`; with `today` given, a year that is plain from it is left out.

    Plain means less than half a year away: `parse_date` reads the same day back.
    """
    language = get_language(locale)
    full, short = _PATTERNS.get(language, _PATTERNS["en"])
    is_plain = today is not None and abs(day - today) < timedelta(days=180)
    return format_pattern(day, short if is_plain else full, language)


def format_weekday(weekday: int, locale: str) -> str:
    """`Monday` or `星期一` for 0, as in datetime."""
    return str(get_day_names("wide", locale=get_language(locale))[weekday])


def format_day_and_time(moment: datetime, zone: str, locale: str, *, today: date | None = None) -> str:
    """The moment in a zone: `14 Mar 2026 09:14`. An unknown zone is shown as UTC and says so.

    Raises:
        ValueError: `moment` has no time zone of its own.
    """
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone cannot be shown in another one")
    found = find_zone(zone)
    local = moment.astimezone(found or UTC)
    shown = f"{format_date(local.date(), locale, today=today)} {local:%H:%M}"
    return shown if found else f"{shown} UTC"


def format_span(days: int, locale: str) -> str:
    """Whole days: `1 day`, `61 days`, `61 天`. Never months, whose number of days differs."""
    shown = f"{MINUS if days < 0 else ''}{abs(days):,}"
    return translate_many("{count} day", "{count} days", days, locale).format(count=shown)


@lru_cache(maxsize=512)
def find_zone(name: str) -> tzinfo | None:
    """The zone of an IANA name, from the system or (on machines without zone data) from dateutil's copy.

    dateutil would also read any file by its path, so it is only asked for what looks like a zone.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return gettz(name) if _ZONE.fullmatch(name) else None


def _find_unit(word: str) -> timedelta | None:
    if word in MINUTES:
        return timedelta(minutes=1)
    if word in HOURS:
        return timedelta(hours=1)
    unit = UNITS.get(word)
    is_fixed = unit is not None and not unit.months and not unit.years
    return timedelta(days=unit.days) if unit is not None and is_fixed else None
