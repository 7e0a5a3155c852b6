"""Channels in words: which one is meant, and why nothing about customers is said in one. Pure: facts in, text out."""

from __future__ import annotations

from commands.kit import esc, mention
from rules.delivery.channels import Sharing, is_person
from storage.delivery.channels import SharingCounts
from words.reader import Reader


def place_words(channel: str) -> str:
    """A channel or a person, as Slack shows them."""
    return mention(channel) if is_person(channel) else f"<#{channel}>"


def elsewhere_words(reader: Reader, sharing: Sharing, error: str, *, has_team: bool) -> str:
    """Why nothing is said in an account's own channel, and where it goes instead. Plain text.

    `error` is Slack's code where it would not tell who reads the channel; `has_team`: there is a team channel to use.
    """
    place = reader.say("the team's channel") if has_team else reader.say("its owner by direct message")
    if sharing is Sharing.SHARED:
        return reader.say(
            "Another organisation reads this channel: what is said about the account goes to {place}.", place=place
        )
    if error:
        return reader.say(
            "Slack does not tell who reads this channel ({error}): until it does, what is said about the account goes "
            "to {place}.",
            error=error,
            place=place,
        )
    return reader.say(
        "I am finding out who reads this channel: until then, what is said about the account goes to {place}.",
        place=place,
    )


def team_shared_words(reader: Reader, channel: str) -> str:
    """That the team's channel cannot be used."""
    return reader.say(
        "⚠️ Another organisation reads {channel}: alerts go to the owner of each account instead, and what is for the "
        "whole team is not posted. Choose another channel with `/cs setup`.",
        channel=place_words(channel),
    )


def sharing_lines(reader: Reader, counts: SharingCounts) -> list[str]:
    """How many channels of accounts are not used, and why; [] where all are."""
    lines = []
    if counts.shared:
        lines.append(
            reader.say_many(
                "🔒 {count} channel of an account is read by another organisation: nothing about customers is said "
                "there.",
                "🔒 {count} channels of accounts are read by another organisation: nothing about customers is said "
                "there.",
                counts.shared,
            )
        )
    if counts.unknown:
        why = f" ({esc(', '.join(counts.errors))})" if counts.errors else ""
        lines.append(
            reader.say_many(
                "❔ Who reads {count} channel of an account is not known{why}: it is not used until it is.",
                "❔ Who reads {count} channels of accounts is not known{why}: they are not used until it is.",
                counts.unknown,
                why=why,
            )
        )
    return lines
