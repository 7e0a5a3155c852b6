"""The reader of a message: their language and zone, and how everything is said to them.

Owns the one object that renderers are given. Refuses Slack's markup: values are inserted verbatim, and who
builds the message escapes them.
"""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from words.countries import format_country
from words.dates import format_date, format_day_and_time, format_span, format_weekday
from words.language import DEFAULT_LANGUAGE, translate, translate_many
from words.money import Amount, format_money
from words.numbers import format_number


@dataclass(frozen=True)
class Reader:
    """Someone who reads: `locale` as Slack gives it ("en-US", "zh-CN"), `zone` an IANA name."""

    locale: str = DEFAULT_LANGUAGE
    zone: str = "UTC"

    def say(self, text: str, /, **values: object) -> str:
        """The msgid `text` in the reader's language, its named fields filled by str.format."""
        return translate(text, self.locale).format(**values)

    def say_many(self, one: str, many: str, count: int, /, **values: object) -> str:
        """The plural form for `count`, which fills the field {count} unless `values` has its own."""
        values.setdefault("count", self.number(count))
        return translate_many(one, many, count, self.locale).format(**values)

    def number(self, value: Decimal | int) -> str:
        """A plain number with the digits it has: 1,234.5."""
        return self.quantity(value, "")

    def quantity(self, value: Decimal | int, unit: str) -> str:
        """A number with a unit of `words.numbers.Quantity`: 7.5 %, €84k, 12 days."""
        return format_number(Decimal(value), unit, self.locale)

    def signed(self, delta: Decimal | int, unit: str = "") -> str:
        """A change: +2, −19, 0."""
        return ("+" if delta > 0 else "") + self.quantity(delta, unit)

    def money(self, amount: Amount, *, is_compact: bool = False) -> str:
        """An amount: €84,000.50, or €84k when compact."""
        return format_money(amount, self.locale, is_compact=is_compact)

    def date(self, day: dt.date, *, today: dt.date | None = None) -> str:
        """A day: 14 Mar 2026; without the year where `today` makes it plain."""
        return format_date(day, self.locale, today=today)

    def moment(self, moment: dt.datetime, *, today: dt.date | None = None) -> str:
        """An aware moment in the reader's zone: 14 Mar 2026 09:14."""
        return format_day_and_time(moment, self.zone, self.locale, today=today)

    def span(self, days: int) -> str:
        """Whole days: 61 days."""
        return format_span(days, self.locale)

    def weekday(self, weekday: int) -> str:
        """A day of the week, 0 = Monday: Monday, 星期一."""
        return format_weekday(weekday, self.locale)

    def country(self, code: str) -> str:
        """A country by its ISO 3166 code: Germany, 德国."""
        return format_country(code, self.locale)
