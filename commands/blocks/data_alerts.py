"""How alerts about thin data look. Owns their words; refuses to lay them out (`commands.blocks.alerts`)."""

from __future__ import annotations

from decimal import Decimal

from commands.blocks.alert_looks import AlertView, Look, account_words, shown_day
from commands.blocks.health import factor_name
from commands.blocks.health_sums import exact
from rules.alerts.conditions import OBSERVATIONS
from rules.alerts.data_signals import MARGIN
from rules.health.health import LEAST_COVERAGE
from rules.records import AlertKind
from words.reader import Reader


def _title(reader: Reader, view: AlertView) -> str:
    share = _percent(reader, view.facts.get("coverage"))
    name = account_words(view)
    return reader.say("{name} cannot be scored: only {share} of what its health needs is known", name=name, share=share)


def _why(reader: Reader, view: AlertView) -> str:
    facts = view.facts
    names = ", ".join(factor_name(reader, each) for each in facts.get("known", []))
    known = reader.say("known: {factors}", factors=names) if names else reader.say("nothing recent is known")
    if not facts.get("known_until"):
        return known + " · " + reader.say("it had no score in the last 90 days")
    return known + " · " + reader.say("last score on {day}", day=shown_day(reader, facts, "known_until"))


def _rule(reader: Reader) -> str:
    return reader.say(
        "Raised when, on {days} days, less than {share} of what a score needs is known of an account, while usage data "
        "comes and the account is not silent. It waits for the digest.",
        days=OBSERVATIONS,
        share=_percent(reader, LEAST_COVERAGE),
    )


def _steps(reader: Reader, _view: AlertView) -> list[str]:
    return [reader.say("See what is missing and how to supply it: open the account's health with `/cs health`.")]


def _sums(reader: Reader, view: AlertView) -> list[str]:
    shown = {
        "coverage": _percent(reader, view.facts.get("coverage")),
        "limit": _percent(reader, view.facts.get("limit", LEAST_COVERAGE)),
        "end": _percent(reader, LEAST_COVERAGE + MARGIN),
    }
    return [reader.say("Threshold: under {limit}. Known is {coverage}. It ends at {end}", **shown)]


def _level(reader: Reader, level: float) -> str:
    return reader.say("{points} % short", points=exact(reader, level))


def _sources(reader: Reader, view: AlertView) -> list[str]:
    return [reader.say("score of {day}", day=shown_day(reader, view.facts, "day"))]


def _percent(reader: Reader, share: float | None) -> str:
    return reader.quantity(round(Decimal(str(share or 0)) * 100), "%")


LOOKS: dict[AlertKind, Look] = {
    AlertKind.DATA_THIN: Look(_title, _why, _steps, _rule, sums=_sums, sources=_sources, level=_level),
}
