"""Rules in words: the unit of each threshold, and what people changed. Owns these words; refuses to lay them out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from rules.alerts.tuning import Adjustment, Remedy
from rules.records import AlertKind
from words.reader import Reader

_UNITS: Mapping[AlertKind, Callable[[Reader, str], str]] = {
    AlertKind.HEALTH_DROP: lambda reader, amount: reader.say("{amount} points", amount=amount),
    AlertKind.HEALTH_RED: lambda reader, amount: reader.say("{amount} points", amount=amount),
    AlertKind.SILENCE: lambda reader, amount: reader.say("{amount} working days", amount=amount),
    AlertKind.TARGET_BEHIND: lambda reader, amount: reader.say("{amount} times the limit", amount=amount),
}


def amount_words(reader: Reader, kind: AlertKind, amount: float) -> str:
    """What is added to a rule's threshold: "+5 points"."""
    shown = reader.signed(Decimal(f"{amount:g}"))
    unit = _UNITS.get(kind)
    return unit(reader, shown) if unit else reader.say("{amount} days", amount=shown)


def remedy_words(reader: Reader, kind: AlertKind, remedy: Remedy, amount: float, until: date | None) -> str:
    """What was done about a rule."""
    match remedy:
        case Remedy.RAISE:
            return reader.say("threshold {amount}", amount=amount_words(reader, kind, amount))
        case Remedy.MUTE:
            return reader.say("muted until {day}", day=reader.date(until) if until else "–")
        case Remedy.DIGEST:
            return reader.say("in digests only")


def adjustment_words(reader: Reader, adjustment: Adjustment, who: str) -> str:
    """What was done about a rule, since when and by whom: "threshold +5 points since 3 Mar 2026 by @lead"."""
    what = remedy_words(reader, adjustment.kind, adjustment.remedy, adjustment.amount, adjustment.until)
    return reader.say("{what} since {day} by {who}", what=what, day=reader.date(adjustment.since), who=who)


def read_adjustment(kind: AlertKind, facts: Mapping[str, Any]) -> Adjustment:
    """The change as an alert kept it (`Adjustment.facts`)."""
    until = facts.get("until")
    return Adjustment(
        "",
        kind,
        Remedy(facts["remedy"]),
        date.fromisoformat(facts["since"]),
        str(facts["by"]),
        float(facts["amount"]),
        date.fromisoformat(until) if until else None,
    )
