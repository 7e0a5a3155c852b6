"""How alerts about contracts look. Owns their words and buttons; refuses to lay them out (`commands.blocks.alerts`)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from commands.blocks.accounts import shown_name
from commands.blocks.alert_looks import AlertView, Look, between_days, shown_day
from commands.blocks.renewals import OUTCOME, VERDICT, renewal_ref
from commands.kit import Element, button
from rules.alerts.renewal_signals import PROVISIONAL_DAYS
from rules.records import AlertKind, EpisodeState
from words.reader import Reader


def _notice_title(reader: Reader, view: AlertView) -> str:
    name = f"*{shown_name(view.account)}*"
    day = shown_day(reader, view.facts, "notice_on")
    return reader.say("{name} gave notice on {day}", name=name, day=day)


def _notice_why(reader: Reader, view: AlertView) -> str:
    return reader.say("the contract ends on {day} unless they change their mind", day=_end(reader, view))


def _notice_rule(reader: Reader) -> str:
    return reader.say("Raised as soon as a contract has a notice. It ends when the outcome is recorded.")


def _notice_steps(reader: Reader, _view: AlertView) -> list[str]:
    return [
        reader.say("Ask for a talk about the notice, with the sponsor, this week."),
        reader.say("Bring what was reached of the targets, in numbers."),
    ]


def _notice_sums(reader: Reader, view: AlertView) -> list[str]:
    left = between_days(reader, view.facts, "seen_on", "ends_on")
    return [reader.say("Left until the end: {days}", days=left)] if left else [_notice_why(reader, view)]


def _expired_title(reader: Reader, view: AlertView) -> str:
    name = f"*{shown_name(view.account)}*"
    return reader.say("{name}: the contract ended on {day} and is still open", name=name, day=_end(reader, view))


def _expired_why(reader: Reader, view: AlertView) -> str:
    count = int(view.facts.get("days", 0))
    said = reader.say_many(
        "nobody said how it ended, {count} day after the end",
        "nobody said how it ended, {count} days after the end",
        count,
    )
    if view.facts.get("is_provisional", True):
        return said
    return said + " · " + reader.say("after 30 days it counts as churned")


def _expired_rule(reader: Reader) -> str:
    return reader.say(
        "Raised the day after a contract ended without an outcome. The first 30 days are provisional; then it counts "
        "as churned until a late renewal is recorded."
    )


def _expired_steps(reader: Reader, _view: AlertView) -> list[str]:
    return [reader.say("Record how it ended, or correct the contract's dates.")]


def _expired_sums(reader: Reader, view: AlertView) -> list[str]:
    since = between_days(reader, view.facts, "ends_on", "seen_on")
    if not since:
        return [_expired_why(reader, view)]
    limit = reader.span(PROVISIONAL_DAYS)
    return [reader.say("Since the end: {days}; provisional up to {limit}", days=since, limit=limit)]


def _end(reader: Reader, view: AlertView) -> str:
    return shown_day(reader, view.facts, "ends_on")


def _buttons(reader: Reader, view: AlertView) -> Sequence[Element]:
    """Nobody took it: that is the primary button. Taken: the outcome is."""
    end = view.facts.get("ends_on")
    if not end:
        return ()
    ref = renewal_ref(str(view.facts.get("contract", "")), date.fromisoformat(end))
    outcome = button(reader.say("Record outcome"), OUTCOME, ref)
    if view.row.kind is AlertKind.CONTRACT_EXPIRED or view.row.state is EpisodeState.ACKED:
        return (outcome,)
    return (button(reader.say("Give verdict"), VERDICT, ref), outcome)


LOOKS: dict[AlertKind, Look] = {
    AlertKind.NOTICE_RECEIVED: Look(
        _notice_title, _notice_why, _notice_steps, _notice_rule, _buttons, sums=_notice_sums
    ),
    AlertKind.CONTRACT_EXPIRED: Look(
        _expired_title, _expired_why, _expired_steps, _expired_rule, _buttons, sums=_expired_sums
    ),
}
