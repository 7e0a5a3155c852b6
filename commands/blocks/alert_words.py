"""The words that alerts of every kind share: transitions and reasons. Owns these sentences; refuses to lay them out
(`commands.blocks.alerts`).
"""

from __future__ import annotations

from rules.records import DismissReason
from storage.alerts.alerts import AlertEventRow
from words.reader import Reader


def verb_words(reader: Reader, verb: str) -> str:
    """A transition in the history."""
    words = {
        "opened": reader.say("Alert raised"),
        "reopened": reader.say("It is back"),
        "worsened": reader.say("It got worse"),
        "surfaced": reader.say("It can no longer wait for a digest"),
        "taken": reader.say("Taken"),
        "snoozed": reader.say("Snoozed"),
        "woke": reader.say("The snooze is over, and it is still so"),
        "assigned": reader.say("Assigned"),
        "resolved": reader.say("Resolved"),
        "dismissed": reader.say("Dismissed"),
        "cleared": reader.say("Recovered"),
        "unlatched": reader.say("Recovered after it was closed"),
        "held": reader.say("Kept until somebody works again"),
        "quietened": reader.say("Left to the digest"),
        "muted": reader.say("Muted"),
        "unmuted": reader.say("The mute is over"),
        "escalated": reader.say("Nobody has taken it"),
        "asked": reader.say("Is somebody still on it?"),
        "kept": reader.say("Still in hand"),
        "returned": reader.say("Nobody answered: it is open again"),
        "undone": reader.say("Taken back: as it was before"),
    }
    return words.get(verb, verb)


def event_words(reader: Reader, line: AlertEventRow) -> str:
    """A transition, with the level that an alert nobody took has reached by it."""
    words = verb_words(reader, line.verb)
    return f"{words}: {level_words(reader, line)}" if line.verb == "escalated" else words


def level_words(reader: Reader, line: AlertEventRow) -> str:
    """Who is told at the level of a transition."""
    words = {
        1: reader.say("its owner is told again"),
        2: reader.say("the lead is told"),
        3: reader.say("the team is told"),
    }
    return words.get(line.after.get("escalated_to", 0), "")


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
