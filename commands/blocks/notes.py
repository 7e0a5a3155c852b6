"""What notes look like: how we were in touch in words, a note in a line. Pure: rows in, text out."""

from __future__ import annotations

from commands.kit import clip, esc
from rules.records import TouchKind
from words.reader import Reader

_SHOWN_LENGTH = 300


def touch_words(reader: Reader, kind: TouchKind) -> str:
    """How we were in touch, as the beginning of a line."""
    return {
        TouchKind.NOTE: reader.say("Note"),
        TouchKind.CALL: reader.say("Call"),
        TouchKind.MEETING: reader.say("Meeting"),
        TouchKind.EMAIL: reader.say("E-mail"),
        TouchKind.MESSAGE: reader.say("Message"),
    }[kind]


def quoted(text: str) -> str:
    """What was written, on one line, short and safe in mrkdwn."""
    return esc(clip(" ".join(text.split()), _SHOWN_LENGTH))
