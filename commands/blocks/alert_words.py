"""The words of alerts: rules, transitions and reasons, and what to do next. Owns these sentences; refuses to lay them
out (`commands.blocks.alerts`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rules.health.contributions import KNOCK_OUT
from rules.records import AlertKind, DismissReason
from words.reader import Reader

_MOST_STEPS = 2


def rule_words(reader: Reader, kind: AlertKind) -> str:
    """The rule in a sentence."""
    match kind:
        case AlertKind.HEALTH_DROP:
            return reader.say(
                "Raised when, on two days running, the score has lost 15 points within 14 days, 20 within 90 days or a "
                "band (with 8 points), or has fallen into red. Only factors known on both days are compared."
            )
        case AlertKind.HEALTH_RED:
            return reader.say("Raised when the score is red (under 50) on two days running. It ends at 55.")
        case AlertKind.SILENCE:
            return reader.say(
                "Raised when nobody of the account used the product for 14 working days, and for three times its usual "
                "gap, up to the last day with usage data."
            )


def verb_words(reader: Reader, verb: str) -> str:
    """A transition in the history."""
    words = {
        "opened": reader.say("Alert raised"),
        "reopened": reader.say("It is back"),
        "worsened": reader.say("It got worse"),
        "taken": reader.say("Taken"),
        "snoozed": reader.say("Snoozed"),
        "woke": reader.say("The snooze is over, and it is still so"),
        "assigned": reader.say("Assigned"),
        "resolved": reader.say("Resolved"),
        "dismissed": reader.say("Dismissed"),
        "cleared": reader.say("Recovered"),
        "unlatched": reader.say("Recovered after it was closed"),
    }
    return words.get(verb, verb)


def reason_words(reader: Reader, reason: str) -> str:
    """Why somebody dismissed an alert."""
    words = {
        DismissReason.WRONG_DATA: reader.say("the data is wrong"),
        DismissReason.KNOWN: reader.say("known and handled"),
        DismissReason.NOT_RELEVANT: reader.say("not relevant"),
        DismissReason.TOO_SENSITIVE: reader.say("too sensitive"),
        DismissReason.OTHER: reader.say("another reason"),
    }
    return words.get(DismissReason(reason), reason)


def list_next_steps(reader: Reader, kind: AlertKind, facts: Mapping[str, Any]) -> list[str]:
    """What to do, by what pulls the score down most."""
    if kind is AlertKind.SILENCE:
        return [
            reader.say("Call your contact: did the people change, or the need?"),
            reader.say("Ask whether the integration that reports usage was switched off."),
        ]
    steps = _steps(reader)
    causes = [facts.get("capped_by", ""), *_list_causes(kind, facts)]
    found = [steps[cause] for cause in causes if cause in steps]
    return found[:_MOST_STEPS] or [reader.say("Talk to your contact, and log what you hear.")]


def _list_causes(kind: AlertKind, facts: Mapping[str, Any]) -> list[str]:
    if kind is AlertKind.HEALTH_RED:
        return [each["factor"] for each in facts.get("factors", [])]
    fallen = sorted((each["points"], each["factor"]) for each in facts.get("shares", []) if each["points"] < 0)
    return [name for _points, name in fallen if name != KNOCK_OUT]


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
