"""The words that alerts of every kind share: transitions and reasons. Owns these sentences; refuses to lay them out
(`commands.blocks.alerts`).
"""

from __future__ import annotations

from rules.records import DismissReason
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
