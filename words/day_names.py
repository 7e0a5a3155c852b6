"""The words for days: English and Chinese names of months, weekdays and units of time.

Owns the tables. Refuses grammar (see `words.day_phrases`).
"""

from dateutil.relativedelta import relativedelta

_SHORTEST = 3
_MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def _prefixes(names: tuple[str, ...]) -> dict[str, int]:
    return {name[:length]: place for place, name in enumerate(names) for length in range(_SHORTEST, len(name) + 1)}


# "mar", "marc" and "march" are 3.
MONTHS = {name: place + 1 for name, place in _prefixes(_MONTHS).items()}

# Monday is 0, as in datetime.
WEEKDAYS = _prefixes(_WEEKDAYS) | {sign: place for place, sign in enumerate("一二三四五六日")} | {"天": 6}

SHIFTS = {
    "today": 0, "yesterday": -1, "tomorrow": 1, "tmr": 1, "day after tomorrow": 2, "day before yesterday": -2,
    "今天": 0, "今日": 0, "昨天": -1, "昨日": -1, "前天": -2, "明天": 1, "明日": 1, "后天": 2, "後天": 2,
    "大后天": 3, "大後天": 3,
}  # fmt: skip

UNITS = (
    dict.fromkeys(("d", "day", "days", "天", "日"), relativedelta(days=1))
    | dict.fromkeys(("w", "wk", "wks", "week", "weeks", "周", "週", "星期", "礼拜", "禮拜"), relativedelta(weeks=1))
    | dict.fromkeys(("mo", "mth", "mths", "month", "months", "月"), relativedelta(months=1))
    | dict.fromkeys(("q", "quarter", "quarters", "季度"), relativedelta(months=3))
    | dict.fromkeys(("y", "yr", "yrs", "year", "years", "年"), relativedelta(years=1))
)

HOURS = frozenset({"h", "hr", "hrs", "hour", "hours", "小时", "小時"})
MINUTES = frozenset({"m", "min", "mins", "minute", "minutes", "分", "分钟", "分鐘"})
