"""What a health factor lacks, in words that say how to supply it. Owns one sentence per reason
(`rules.health.readings.Gap`); refuses the factors that are there (`commands.blocks.health`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from rules.health.readings import Gap
from words.reader import Reader

Facts = Mapping[str, Any]


def gap_words(reader: Reader, facts: Facts) -> str:
    """Why a factor is missing or does not apply, and what to do about it."""
    return _WORDS[Gap(facts["why"])](reader, facts)


def _day(reader: Reader, facts: Facts, name: str) -> str:
    return reader.date(date.fromisoformat(facts[name]))


def _old_usage(reader: Reader, facts: Facts) -> str:
    if not facts.get("last_day"):
        return reader.say("missing: no usage was imported yet")
    day = _day(reader, facts, "last_day")
    return reader.say("missing: the last usage of any account is of {day}. Import what came since", day=day)


def _short_history(reader: Reader, facts: Facts) -> str:
    first, span = _day(reader, facts, "first_use"), reader.span(facts["days"])
    return reader.say("missing: it takes {span} of use, and the first was on {day}", span=span, day=first)


def _rare_use(reader: Reader, facts: Facts) -> str:
    span = reader.span(facts["days"])
    return reader.say_many(
        "missing: used on {count} day of {span}, too rarely for a trend",
        "missing: used on {count} days of {span}, too rarely for a trend",
        facts["active_days"],
        span=span,
    )


def _old_tickets(reader: Reader, facts: Facts) -> str:
    day = _day(reader, facts, "last_day")
    return reader.say("missing: the last ticket of any account moved on {day}. Import what came since", day=day)


_WORDS: Mapping[Gap, Callable[[Reader, Facts], str]] = {
    Gap.NO_SEATS: lambda reader, _: reader.say("not counted: no seats known. Import them with contracts or accounts"),
    Gap.NO_ACTIVE_USERS: lambda reader, _: reader.say(
        "not counted: active users unknown. Import usage with `person`, or the metric `weekly_active_users`"
    ),
    Gap.NO_USAGE: lambda reader, _: reader.say("not counted: no use of this account was ever imported"),
    Gap.OLD_USAGE: _old_usage,
    Gap.OLD_ACTIVE_USERS: lambda reader, _: reader.say(
        "missing: the product is used, but active users were not sent lately. Import them"
    ),
    Gap.SHORT_HISTORY: _short_history,
    Gap.RARE_USE: _rare_use,
    Gap.NO_CORE_FEATURES: lambda reader, _: reader.say(
        "not counted: no core features named. Name them as `core_features` in the usage mapping"
    ),
    Gap.NO_TARGETS: lambda reader, _: reader.say("not counted: no target agreed. Add one with `/cs target`"),
    Gap.TARGETS_TOO_EARLY: lambda reader, _: reader.say("not counted: too early to judge the targets"),
    Gap.OLD_TARGETS: lambda reader, _: reader.say("missing: no target has a recent value. Log one with `/cs log`"),
    Gap.NO_TICKETS: lambda reader, _: reader.say("not counted: no tickets known. Import them"),
    Gap.OLD_TICKETS: _old_tickets,
    Gap.NO_INVOICES: lambda reader, _: reader.say(
        "not counted: invoices unknown. Import contracts with `overdue_since`"
    ),
}
