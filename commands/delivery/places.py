"""Why messages cannot go where they should, in words. Owns what to do about each of Slack's refusals."""

from __future__ import annotations

from collections.abc import Mapping

from words.reader import Reader

_ADVICE: Mapping[str, str] = {
    "channel_not_found": "The channel is gone or private: invite me there, or choose another one with /cs setup.",
    "not_in_channel": "I am not in that channel: invite me there.",
    "is_archived": "The channel is archived: restore it, or choose another one with /cs setup.",
    "restricted_action": "Your workspace does not let me post there: ask an owner to allow it.",
    "missing_scope": "My app lacks a permission: update it with the current manifest and install it again.",
    "cannot_dm_bot": "That person cannot be written to: have their accounts owned by somebody else.",
    "user_not_found": "That person is not here any more: have their accounts owned by somebody else.",
    "user_disabled": "That person is not here any more: have their accounts owned by somebody else.",
}
_OTHER_ADVICE = "See the log for details."


def advice_words(reader: Reader, error: str) -> str:
    """What to do about Slack's error; what we put before its code does not matter."""
    return reader.say(_ADVICE.get(error.rsplit(" ", 1)[-1], _OTHER_ADVICE))
