"""The setup told in words: what changed, line by line, and where Milepost posts what. Owns these words; changes
nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

from commands.blocks.channels import sharing_lines, team_shared_words
from commands.kit import esc, mention
from commands.people.setup_form import language_name
from rules.delivery.channels import Sharing
from rules.people.setup import Setup
from storage.accounts.channels import count_own_channels
from storage.db import Tx
from storage.delivery.channels import count_sharing, read_team_place
from storage.people.members import MemberRow, get_members
from storage.people.team import get_team_time
from storage.people.workspaces import find_setting, get_workspace
from words.reader import Reader

_NOTHING = "–"


def change_lines(reader: Reader, tx: Tx, before: Setup, after: Setup) -> list[str]:
    """What was there and what is now, a line for each setting that differs."""
    people = get_members(tx, [each.lead_id for each in (before, after) if each.lead_id])
    names, old, new = _names(reader), vars(before), vars(after)
    return [
        f"{names[name]}: {_show(reader, people, name, old[name])} → {_show(reader, people, name, value)}"
        for name, value in new.items()
        if value != old[name]
    ]


def place_lines(reader: Reader, tx: Tx) -> list[str]:
    """Where Milepost posts what, and who set it: each kind of message on one line."""
    home, time = get_workspace(tx), get_team_time(tx)
    channel, at = f"<#{home.team_channel_id}>", f"{time.digest_at:%H:%M}"
    if read_team_place(tx).sharing is Sharing.SHARED:
        to_team = [team_shared_words(reader, home.team_channel_id)]
    elif home.team_channel_id:
        to_team = [
            reader.say("Alerts: {channel}{who}", channel=channel, who=_who_set(reader, tx)),
            reader.say("Red accounts nobody took: {channel}, daily at {time}", channel=channel, time=at),
            reader.say(
                "Renewals: {channel}, on {weekday} at {time}",
                channel=channel,
                weekday=reader.weekday(time.weekly_on),
                time=at,
            ),
        ]
    else:
        to_team = [reader.say("Alerts: to the owner of each account, because no team channel is set.")]
    own = count_own_channels(tx)
    in_own = reader.say_many(
        "{count} account has a channel of its own: its alerts go there.",
        "{count} accounts have channels of their own: their alerts go there.",
        own,
    )
    digests = reader.say("Digests: to each person alone, when their working day has begun.")
    return [*to_team, *([in_own, *sharing_lines(reader, count_sharing(tx))] if own else []), digests]


def _who_set(reader: Reader, tx: Tx) -> str:
    line = find_setting(tx, "team_channel_id")
    person = get_members(tx, [line.actor_id]).get(line.actor_id) if line else None
    if line is None or person is None:
        return ""
    day = reader.moment(line.at)
    return " " + reader.say("(chosen by {person}, {day})", person=mention(person.slack_id), day=day)


def _names(reader: Reader) -> dict[str, str]:
    return {
        "team_channel_id": reader.say("alerts go to"),
        "lead_id": reader.say("lead"),
        "country": reader.say("public holidays"),
        "zone": reader.say("time zone"),
        "work_from": reader.say("working day begins"),
        "work_until": reader.say("working day ends"),
        "digest_at": reader.say("digests come"),
        "weekly_on": reader.say("weekly digests come on"),
        "currency": reader.say("currency"),
        "locale": reader.say("language in channels"),
        "is_hiding_amounts": reader.say("amounts in channels"),
    }


def _show(reader: Reader, people: Mapping[str, MemberRow], name: str, value: object) -> str:
    match name, value:
        case "team_channel_id", _:
            return f"<#{value}>" if value else reader.say("the owner of each account")
        case "lead_id", str(id_):
            return mention(people[id_].slack_id) if id_ in people else reader.say("somebody who left")
        case "country", _:
            return esc(reader.country(str(value))) if value else reader.say("only weekends")
        case "digest_at", "":
            return reader.say("ten minutes after the working day begins")
        case "weekly_on", int(day):
            return reader.weekday(day)
        case "locale", _:
            return language_name(str(value))
        case "is_hiding_amounts", _:
            return reader.say("hidden") if value else reader.say("shown")
        case _:
            return esc(str(value)) if value else _NOTHING
