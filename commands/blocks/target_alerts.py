"""How alerts about targets look. Owns their words and buttons; refuses to lay them out (`commands.blocks.alerts`)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from commands.blocks.alert_looks import AlertView, Facts, Look, account_words, between_days, shown_day
from commands.blocks.targets import draw_bar, log_button, percent, show_target_button
from commands.kit import Element, clip, esc, mention
from rules.alerts.target_signals import CLEAR_AT
from rules.records import AlertKind, TargetKind
from rules.success.targets import EARLY_DAYS, FLAT_POINTS, LAG_SHARE, STALE_CADENCES
from storage.success.metrics import show_metric
from words.reader import Reader

_NAME_LENGTH, _UNIT_LENGTH = 80, 20
_LIMITS = frozenset({TargetKind.KEEP_ABOVE.value, TargetKind.KEEP_BELOW.value})

# ---------------------------------------------------------------- behind


def _behind_title(reader: Reader, view: AlertView) -> str:
    """Like "Acme · conversion is 61 days behind: 6.1 % on 2 Sep (goal 10 % by 31 Dec)"."""
    facts = view.facts
    known = {
        "subject": _subject(reader, view),
        "value": _quantity(reader, facts, "value"),
        "day": shown_day(reader, facts, "measured_on"),
        "aim": _aim(reader, facts),
    }
    if facts.get("kind") in _LIMITS:
        return reader.say("{subject} was {value} on {day}: out of its limit too often ({aim})", **known)
    if facts.get("days_behind") is None or not facts.get("passed_on"):
        points = reader.number(round(float(facts.get("points_behind") or 0)))
        return reader.say("{subject} is {points} points behind: {value} on {day} ({aim})", points=points, **known)
    span = reader.span(int(facts["days_behind"]))
    return reader.say("{subject} is {span} behind: {value} on {day} ({aim})", span=span, **known)


def _behind_why(reader: Reader, view: AlertView) -> str:
    bar, passed = _bar(reader, view.facts), shown_day(reader, view.facts, "passed_on")
    if view.facts.get("days_behind") is not None and view.facts.get("passed_on"):
        value = _quantity(reader, view.facts, "value")
        bar += " · " + reader.say("the plan had {value} on {day}", value=value, day=passed)
    us = mention(view.owner.slack_id) if view.owner else reader.say("nobody")
    them = esc(clip(str(view.facts.get("customer_owner") or ""), _NAME_LENGTH)) or reader.say("nobody named")
    return f"{bar}\n" + reader.say("owners: us {us} · them: {them}", us=us, them=them)


def _behind_steps(reader: Reader, view: AlertView) -> list[str]:
    last = reader.say("Measure again: the alert ends when a newer value is back near the plan.")
    if not view.facts.get("customer_owner"):
        return [reader.say("Name somebody at the customer whose number this is (Show target, Edit)."), last]
    return [reader.say("Plan a review with the owners: what holds it up, and is the goal still right?"), last]


def _behind_rule(reader: Reader) -> str:
    return reader.say(
        "Raised when, on two days running, the latest value is behind the plan of the day it was measured, by more "
        "than 14 days and 15 % of the period (where the plan is flat: 10 points). It ends at three quarters of that."
    )


def _behind_sums(reader: Reader, view: AlertView) -> list[str]:
    facts = view.facts
    points = [
        f"{reader.quantity(Decimal(value), _unit(facts))} {reader.date(date.fromisoformat(day))}"
        for day, value in facts.get("curve", [])
    ]
    lines = [reader.say("The plan: {points}", points=" → ".join(points))]
    if facts.get("expected") is not None:
        expected = reader.quantity(round(Decimal(facts["expected"]), 3).normalize() + 0, _unit(facts))
        day = shown_day(reader, facts, "measured_on")
        value = _quantity(reader, facts, "value")
        lines.append(
            reader.say("On {day} it had {expected}; measured was {value}.", day=day, expected=expected, value=value)
        )
    return [*lines, *_limit_lines(reader, facts)]


def _limit_lines(reader: Reader, facts: Facts) -> list[str]:
    """How far behind in days (where the plan is flat: points), divided by what is allowed."""
    limits = reader.number(_hundredth(facts.get("limits")))
    threshold = float(facts.get("limit") or 1)
    ends = reader.say(
        "Threshold: more than {limit} times. It ends at {end} times",
        limit=reader.number(Decimal(f"{threshold:g}")),
        end=reader.number(_hundredth(threshold - 1 + CLEAR_AT)),
    )
    if facts.get("days_behind") is None:
        points = reader.number(_hundredth(facts.get("points_behind")))
        shown = {"points": points, "allowed": reader.number(FLAT_POINTS), "limits": limits}
        said = "The plan is flat there: {points} points behind / {allowed} = {limits} times the limit"
        return [reader.say(said, **shown), ends]
    period = int(facts.get("period_days") or 0)
    share = LAG_SHARE * period
    allowed = max(Decimal(EARLY_DAYS), _hundredth(float(share)))
    shown = {
        "least": reader.number(EARLY_DAYS),
        "percent": reader.number(round(100 * LAG_SHARE)),
        "period": reader.number(period),
        "share": reader.number(_hundredth(float(share))),
        "allowed": reader.number(allowed),
        "days": reader.number(int(facts["days_behind"])),
        "limits": limits,
    }
    passed = between_days(reader, facts, "passed_on", "measured_on")
    behind = [reader.say("The plan had that value earlier: {days}", days=passed)] if passed else []
    said = "Limit: the larger of {least} days and {percent} % of {period} days = {share}, so {allowed} days"
    divided = "Behind: {days} / {allowed} = {limits} times the limit"
    return [*behind, reader.say(said, **shown), reader.say(divided, **shown), ends]


def _behind_level(reader: Reader, level: float) -> str:
    return reader.say("{limits} times the limit", limits=reader.number(_hundredth(level)))


def _hundredth(value: float | None) -> Decimal:
    return round(Decimal(str(value or 0)), 2).normalize() + 0


# ---------------------------------------------------------------- stale, due


def _stale_title(reader: Reader, view: AlertView) -> str:
    facts = view.facts
    span, subject = reader.span(int(facts.get("days", 0))), _subject(reader, view)
    if facts.get("measured_on"):
        return reader.say("{subject} has had no value for {span}", subject=subject, span=span)
    return reader.say("{subject} was never measured, for {span}", subject=subject, span=span)


def _stale_why(reader: Reader, view: AlertView) -> str:
    facts = view.facts
    cadence = reader.span(int(facts.get("cadence_days", 0)))
    asked = reader.say("it was to be measured every {span}", span=cadence)
    if not facts.get("measured_on"):
        return asked
    value, day = _quantity(reader, facts, "value"), shown_day(reader, facts, "measured_on")
    return f"{asked} · " + reader.say("last value {value} on {day}", value=value, day=day)


def _stale_steps(reader: Reader, _view: AlertView) -> list[str]:
    return [reader.say("Ask the customer for the number and log it, or pause the target if nobody measures it now.")]


def _stale_rule(reader: Reader) -> str:
    return reader.say("Raised when a target has had no value for two of its cadences. A value ends it.")


def _stale_sums(reader: Reader, view: AlertView) -> list[str]:
    facts = view.facts
    cadence, limit = int(facts.get("cadence_days", 0)), int(facts.get("limit_days", 0))
    shown = {
        "cadence": reader.number(cadence),
        "times": reader.number(STALE_CADENCES),
        "more": reader.number(limit - STALE_CADENCES * cadence),
        "limit": reader.number(limit),
    }
    said = "Limit: {times} × {cadence} days = {limit} days"
    if limit > STALE_CADENCES * cadence:
        said = "Limit: {times} × {cadence} days + {more} = {limit} days"
    age = between_days(reader, facts, "since", "seen_on") or reader.span(int(facts.get("days", 0)))
    return [reader.say("Without a value: {days}", days=age), reader.say(said, **shown)]


def _step_sums(reader: Reader, view: AlertView) -> list[str]:
    facts = view.facts
    days = between_days(reader, facts, "window_from", "step_on")
    lines = [reader.say("A value counts from a week before: {days}", days=days)]
    measured = shown_day(reader, facts, "measured_on")
    return [*lines, reader.say("The last value is of {day}", day=measured)]


def _step_title(reader: Reader, view: AlertView) -> str:
    facts, subject = view.facts, _subject(reader, view)
    value, day = _quantity(reader, facts, "step_value"), shown_day(reader, facts, "step_on")
    if facts.get("is_last"):
        return reader.say("{subject} is due on {day} with {value}", subject=subject, day=day, value=value)
    return reader.say("{subject} has a step on {day}: {value}", subject=subject, day=day, value=value)


def _step_why(reader: Reader, view: AlertView) -> str:
    window = shown_day(reader, view.facts, "window_from")
    return f"{_bar(reader, view.facts)}\n" + reader.say("no value measured since {day}", day=window)


def _step_steps(reader: Reader, _view: AlertView) -> list[str]:
    return [reader.say("Log what the number is around that day.")]


def _step_rule(reader: Reader) -> str:
    return reader.say(
        "Raised when a step of a target is at most 7 days away or past and nobody measured the number in the 7 days "
        "before it or since. A value ends it."
    )


# ---------------------------------------------------------------- words and buttons


def _subject(reader: Reader, view: AlertView) -> str:
    metric = show_metric(str(view.facts.get("metric_key", "")), str(view.facts.get("metric", "")), reader.locale)
    return f"{account_words(view)} · {esc(clip(metric, _NAME_LENGTH))}"


def _unit(facts: Facts) -> str:
    return esc(clip(str(facts.get("unit", "")), _UNIT_LENGTH))


def _quantity(reader: Reader, facts: Facts, name: str) -> str:
    found = facts.get(name)
    return "—" if found is None else reader.quantity(Decimal(found), _unit(facts))


def _aim(reader: Reader, facts: Facts) -> str:
    goal, due = _quantity(reader, facts, "goal"), shown_day(reader, facts, "due_on")
    match facts.get("kind"):
        case TargetKind.KEEP_ABOVE.value:
            return reader.say("at least {goal} until {due}", goal=goal, due=due)
        case TargetKind.KEEP_BELOW.value:
            return reader.say("at most {goal} until {due}", goal=goal, due=due)
        case _:
            return reader.say("goal {goal} by {due}", goal=goal, due=due)


def _bar(reader: Reader, facts: Facts) -> str:
    progress = facts.get("progress")
    share = reader.quantity(percent(progress), "%")
    said = (
        reader.say("{share} of the values within the limit", share=share)
        if facts.get("kind") in _LIMITS
        else reader.say("{share} of the way", share=share)
    )
    return f"{draw_bar(progress)} {said}"


def _buttons(reader: Reader, view: AlertView) -> Sequence[Element]:
    facts = view.facts
    log = log_button(reader, view.account.id, metric_key=str(facts.get("metric_key", "")))
    return [log, show_target_button(reader, str(facts.get("target_id", "")))]


LOOKS: dict[AlertKind, Look] = {
    AlertKind.TARGET_BEHIND: Look(
        _behind_title,
        _behind_why,
        _behind_steps,
        _behind_rule,
        buttons=_buttons,
        sums=_behind_sums,
        level=_behind_level,
    ),
    AlertKind.TARGET_STALE: Look(
        _stale_title, _stale_why, _stale_steps, _stale_rule, buttons=_buttons, sums=_stale_sums
    ),
    AlertKind.STEP_DUE: Look(_step_title, _step_why, _step_steps, _step_rule, buttons=_buttons, sums=_step_sums),
}
