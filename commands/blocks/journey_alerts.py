"""How alerts about journeys and milestones look. Owns their words and buttons; refuses to lay them out
(`commands.blocks.alerts`).
"""

from __future__ import annotations

from collections.abc import Sequence

from commands.blocks.alert_looks import AlertView, Look, account_words, between_days, shown_day
from commands.blocks.journeys import NAME_LENGTH, done_button, journey_button, move_button
from commands.kit import Element, clip, esc
from rules.alerts.journey_signals import DUE_DAYS, LATE_DAYS
from rules.records import AlertKind
from rules.success.journeys import STANDSTILL_DAYS, STUCK_DAYS, STUCK_SHARE
from words.reader import Reader


def _due_title(reader: Reader, view: AlertView) -> str:
    name, days = _name(view, "name"), int(view.facts.get("days", 0))
    if not days:
        return reader.say("{account}: {milestone} is due today", account=account_words(view), milestone=name)
    span = reader.span(days)
    return reader.say("{account}: {milestone} is due in {span}", account=account_words(view), milestone=name, span=span)


def _due_why(reader: Reader, view: AlertView) -> str:
    return _milestone_why(reader, view)


def _due_steps(reader: Reader, _view: AlertView) -> list[str]:
    return [reader.say("Ask who does it whether the day holds; move it now if not.")]


def _due_rule(reader: Reader) -> str:
    span = reader.span(DUE_DAYS)
    return reader.say("Raised {span} before a milestone is due. It ends when it is done, skipped or moved.", span=span)


def _overdue_title(reader: Reader, view: AlertView) -> str:
    span = reader.span(int(view.facts.get("days", 0)))
    return reader.say(
        "{account}: {milestone} is overdue by {span}",
        account=account_words(view),
        milestone=_name(view, "name"),
        span=span,
    )


def _overdue_why(reader: Reader, view: AlertView) -> str:
    moved = int(view.facts.get("moved_count", 0))
    said = _milestone_why(reader, view)
    if not moved:
        return said
    return said + " · " + reader.say_many("moved once before", "moved {count} times before", moved)


def _overdue_steps(reader: Reader, _view: AlertView) -> list[str]:
    return [reader.say("Say that it is done, or agree on a new day with the customer and move it.")]


def _overdue_rule(reader: Reader) -> str:
    return reader.say(
        "Raised the day after a milestone was due and is open. It waits for the digest; for accounts of tier A it is "
        "posted after {span}.",
        span=reader.span(LATE_DAYS),
    )


def _stuck_title(reader: Reader, view: AlertView) -> str:
    span = reader.span(int(view.facts.get("days", 0)))
    return reader.say(
        "{account} has been in {stage} for {span}", account=account_words(view), stage=_name(view, "stage"), span=span
    )


def _stuck_why(reader: Reader, view: AlertView) -> str:
    facts = view.facts
    open_ones = reader.say_many("{count} milestone open", "{count} milestones open", int(facts.get("open", 0)))
    if facts.get("is_long", True):
        planned = reader.span(int(facts.get("planned_days") or 0))
        since = shown_day(reader, facts, "since")
        return reader.say("since {day} · planned were {span} · {open}", day=since, span=planned, open=open_ones)
    still = reader.span(int(facts.get("still", 0)))
    return reader.say("nothing was settled for {span} though something is overdue · {open}", span=still, open=open_ones)


def _stuck_steps(reader: Reader, _view: AlertView) -> list[str]:
    return [
        reader.say("Ask the customer's project lead what holds it up."),
        reader.say("Go on to the next stage if it is done, or move the dates that will not hold."),
    ]


def _stuck_rule(reader: Reader) -> str:
    return reader.say(
        "Raised when a stage takes longer than planned by a quarter and by more than {margin}, or when one of its "
        "milestones is overdue and none was settled for {span}.",
        margin=reader.span(STUCK_DAYS),
        span=reader.span(STANDSTILL_DAYS),
    )


def _due_sums(reader: Reader, view: AlertView) -> list[str]:
    left = between_days(reader, view.facts, "seen_on", "due_on") or reader.span(int(view.facts.get("days", 0)))
    return [reader.say("Left: {days}; told of from {limit} on", days=left, limit=reader.span(DUE_DAYS))]


def _overdue_sums(reader: Reader, view: AlertView) -> list[str]:
    facts = view.facts
    late = between_days(reader, facts, "due_on", "seen_on") or reader.span(int(facts.get("days", 0)))
    limit = reader.span(int(facts.get("late_days", LATE_DAYS)))
    return [
        reader.say("Overdue: {days}", days=late),
        reader.say("Posted for tier A after more than {limit}; else it waits for the digest", limit=limit),
    ]


def _stuck_sums(reader: Reader, view: AlertView) -> list[str]:
    facts = view.facts
    days, planned = int(facts.get("days", 0)), int(facts.get("planned_days") or 0)
    share = int(planned * STUCK_SHARE)
    shown = {
        "days": reader.number(days),
        "planned": reader.number(planned),
        "beyond": reader.number(int(facts.get("beyond", 0))),
        "least": reader.number(STUCK_DAYS),
        "percent": reader.number(round(100 * STUCK_SHARE)),
        "share": reader.number(share),
        "limit": reader.number(max(STUCK_DAYS, share)),
    }
    lines = [reader.say("In the stage: {days}", days=between_days(reader, facts, "since", "seen_on") or shown["days"])]
    if not facts.get("is_long", True):
        still, limit = reader.span(int(facts.get("still", 0))), reader.span(STANDSTILL_DAYS)
        said = reader.say("Nothing settled for {still}; the limit is {limit}", still=still, limit=limit)
        return [*lines, said + " · " + reader.say("overdue: {count}", count=reader.number(int(facts["overdue"])))]
    beyond = reader.say("Beyond the plan: {days} − {planned} = {beyond} days", **shown)
    allowed = "Limit: more than the larger of {least} days and {percent} % of {planned} days = {share}, so {limit} days"
    return [*lines, beyond, reader.say(allowed, **shown)]


def _milestone_why(reader: Reader, view: AlertView) -> str:
    day, stage = shown_day(reader, view.facts, "due_on"), _name(view, "stage")
    said = reader.say("due {day} · stage {stage}", day=day, stage=stage)
    theirs = _name(view, "customer_owner")
    return said + (" · " + reader.say("them: {name}", name=theirs) if theirs else "")


def _name(view: AlertView, name: str) -> str:
    return esc(clip(str(view.facts.get(name, "")), NAME_LENGTH))


def _milestone_buttons(reader: Reader, view: AlertView) -> Sequence[Element]:
    id_ = str(view.facts.get("milestone", ""))
    return (done_button(reader, id_), move_button(reader, id_)) if id_ else ()


def _stage_buttons(reader: Reader, view: AlertView) -> Sequence[Element]:
    return (journey_button(reader, view.account.id),)


LOOKS: dict[AlertKind, Look] = {
    AlertKind.MILESTONE_DUE: Look(_due_title, _due_why, _due_steps, _due_rule, _milestone_buttons, sums=_due_sums),
    AlertKind.MILESTONE_OVERDUE: Look(
        _overdue_title, _overdue_why, _overdue_steps, _overdue_rule, _milestone_buttons, sums=_overdue_sums
    ),
    AlertKind.STAGE_STUCK: Look(_stuck_title, _stuck_why, _stuck_steps, _stuck_rule, _stage_buttons, sums=_stuck_sums),
}
