"""How alerts about health and silence look. Owns their words; refuses to lay them out (`commands.blocks.alerts`)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from commands.blocks.alert_looks import AlertView, Facts, Look, account_words, shown_day
from commands.blocks.health import capped_words, factor_name
from commands.blocks.health_sums import drop_sums, exact, red_sums, silence_sums
from rules.health.contributions import KNOCK_OUT, round_to_sum
from rules.health.health import show_score
from rules.records import AlertKind
from words.reader import Reader

_LEAST_SHOWN = 0.05
"""Contributions of less than this many points are left out."""
_MOST_STEPS = 2

# ---------------------------------------------------------------- a drop


def _drop_title(reader: Reader, view: AlertView) -> str:
    facts = view.facts
    return reader.say(
        "{name} health fell {before} → {after} in {span}",
        name=account_words(view),
        before=_shown(facts, "before"),
        after=_shown(facts, "after"),
        span=reader.span(int(facts.get("days", 0))),
    )


def _drop_why(reader: Reader, view: AlertView) -> str:
    return share_words(reader, view.facts)


def _drop_rule(reader: Reader) -> str:
    return reader.say(
        "Raised when, on two days running, the score has lost 15 points within 14 days, 20 within 90 days or a "
        "band (with 8 points), or has fallen into red. Only factors known on both days are compared."
    )


def _drop_steps(reader: Reader, view: AlertView) -> list[str]:
    shares = view.facts.get("shares", [])
    fallen = sorted((each["points"], each["factor"]) for each in shares if each["points"] < 0)
    return _choose_steps(reader, view.facts, [name for _points, name in fallen if name != KNOCK_OUT])


def share_words(reader: Reader, facts: Facts) -> str:
    """The contributions in whole points, the largest first; they add up to the change in the first line."""
    shares = {each["factor"]: each for each in facts.get("shares", []) if abs(each["points"]) >= _LEAST_SHOWN}
    total = _shown(facts, "after") - _shown(facts, "before")
    points = round_to_sum({name: each["points"] for name, each in shares.items()}, total)
    ordered = sorted(shares.values(), key=lambda each: -abs(each["points"]))
    parts = [_share_words(reader, facts, each, points[each["factor"]]) for each in ordered]
    return " · ".join(parts) + f"  = {reader.signed(total)}"


def _share_words(reader: Reader, facts: Facts, share: Facts, points: int) -> str:
    if share["factor"] == KNOCK_OUT:
        cap = facts.get("capped_by") or facts.get("capped_before") or ""
        return f"{capped_words(reader, cap)} {reader.signed(points)}"
    moved = f"{round(share['before'])} → {round(share['after'])}"
    return f"{factor_name(reader, share['factor'])} {reader.signed(points)} ({moved})"


def _drop_level(reader: Reader, level: float) -> str:
    return reader.say("{points} points lost", points=exact(reader, level))


# ---------------------------------------------------------------- red


def _red_title(reader: Reader, view: AlertView) -> str:
    name = account_words(view)
    return reader.say("{name} health is red: {score}", name=name, score=_shown(view.facts, "score"))


def _red_why(reader: Reader, view: AlertView) -> str:
    lowest = [_factor_words(reader, each) for each in view.facts.get("factors", [])[:3]]
    cap = [capped_words(reader, view.facts["capped_by"])] if view.facts.get("capped_by") else []
    return " · ".join([*cap, *lowest]) or reader.say("no factor is known")


def _red_rule(reader: Reader) -> str:
    return reader.say("Raised when the score is red (under 50) on two days running. It ends at 55.")


def _red_level(reader: Reader, level: float) -> str:
    return reader.say("{points} points under the limit of red", points=exact(reader, level))


def _red_steps(reader: Reader, view: AlertView) -> list[str]:
    return _choose_steps(reader, view.facts, [each["factor"] for each in view.facts.get("factors", [])])


def _factor_words(reader: Reader, factor: Facts) -> str:
    return reader.say("{factor} {x} of 100", factor=factor_name(reader, factor["factor"]), x=round(factor["x"]))


# ---------------------------------------------------------------- silence


def _silence_title(reader: Reader, view: AlertView) -> str:
    return reader.say_many(
        "{name} is silent: last use {day}, {count} working day ago",
        "{name} is silent: last use {day}, {count} working days ago",
        int(view.facts.get("working_days", 0)),
        name=account_words(view),
        day=shown_day(reader, view.facts, "last_use"),
    )


def _silence_why(reader: Reader, view: AlertView) -> str:
    since, until = (shown_day(reader, view.facts, name) for name in ("last_use", "data_day"))
    return reader.say("no use since {day}, while others used the product until {until}", day=since, until=until)


def _silence_rule(reader: Reader) -> str:
    return reader.say(
        "Raised when nobody of the account used the product for 14 working days, and for three times its usual "
        "gap, up to the last day with usage data."
    )


def _silence_level(reader: Reader, level: float) -> str:
    return reader.say("{days} working days", days=exact(reader, level))


def _silence_steps(reader: Reader, _view: AlertView) -> list[str]:
    return [
        reader.say("Call your contact: did the people change, or the need?"),
        reader.say("Ask whether the integration that reports usage was switched off."),
    ]


# ---------------------------------------------------------------- what they share


def _sources(reader: Reader, view: AlertView) -> list[str]:
    """Age of the data, coverage."""
    facts, parts = view.facts, []
    if facts.get("data_day"):
        parts.append(reader.say("usage up to {day}", day=shown_day(reader, facts, "data_day")) + _age(reader, facts))
    if facts.get("day"):
        parts.append(reader.say("score of {day}", day=shown_day(reader, facts, "day")))
    if facts.get("coverage") is not None:
        percent = round(Decimal(str(facts["coverage"])) * 100)
        parts.append(reader.say("coverage {share}", share=reader.quantity(percent, "%")))
    return parts


def _age(reader: Reader, facts: Facts) -> str:
    """How old the usage data was when the alert was raised; "" where it was of the day before, as it should be."""
    seen = facts.get("seen_on") or facts.get("day")
    days = (date.fromisoformat(seen) - date.fromisoformat(facts["data_day"])).days - 1 if seen else 0
    return " " + reader.say("({span} old)", span=reader.span(days)) if days > 0 else ""


def _choose_steps(reader: Reader, facts: Facts, causes: list[str]) -> list[str]:
    """What to do, by what pulls the score down most."""
    steps = _steps(reader)
    found = [steps[cause] for cause in (facts.get("capped_by", ""), *causes) if cause in steps]
    return found[:_MOST_STEPS] or [reader.say("Talk to your contact, and log what you hear.")]


def _steps(reader: Reader) -> dict[str, str]:
    return {
        "utilisation": reader.say("Find out who stopped using it, and offer them a session."),
        "trend": reader.say("Ask what changed in their work in these weeks."),
        "breadth": reader.say("Show one feature that they no longer use, on their own data."),
        "targets": reader.say("Plan a review of the targets that are behind."),
        "support": reader.say("Get a date for the open tickets, and tell the customer."),
        "payment": reader.say("Ask whether the invoice reached the right person."),
        "notice": reader.say("Ask for a talk about the notice, with the sponsor, this week."),
        "overdue": reader.say("Ask whether the invoice is disputed, before finance does."),
        "silence": reader.say("Call your contact: did the people change, or the need?"),
    }


def _shown(facts: Facts, name: str) -> int:
    return show_score(float(facts.get(name) or 0))


LOOKS: dict[AlertKind, Look] = {
    AlertKind.HEALTH_DROP: Look(
        _drop_title, _drop_why, _drop_steps, _drop_rule, sums=drop_sums, sources=_sources, level=_drop_level
    ),
    AlertKind.HEALTH_RED: Look(
        _red_title, _red_why, _red_steps, _red_rule, sums=red_sums, sources=_sources, level=_red_level
    ),
    AlertKind.SILENCE: Look(
        _silence_title,
        _silence_why,
        _silence_steps,
        _silence_rule,
        sums=silence_sums,
        sources=_sources,
        level=_silence_level,
    ),
}
