"""What changed on an account, told field by field: "tier A → B · seats 60 → 80". Owns these words; changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from commands.blocks.accounts import state_words
from commands.kit import esc, mention
from rules.accounts.accounts import AccountDraft
from rules.records import AccountState
from storage.db import Tx
from storage.people.members import MemberRow, get_members
from words.reader import Reader

_NOTHING = "–"


def change_words(reader: Reader, tx: Tx, before: AccountDraft, after: AccountDraft) -> str:
    """What was there and what is now, of the fields that differ."""
    owners = get_members(tx, [each.owner_id for each in (before, after) if each.owner_id])
    return difference_words(reader, owners, before, after)


def difference_words(reader: Reader, owners: Mapping[str, MemberRow], before: AccountDraft, after: AccountDraft) -> str:
    """The same, with the owners already looked up, by member id."""
    names, old, new = _names(reader), vars(before), vars(after)
    return " · ".join(
        f"{names[field]} {_show(reader, owners, field, old[field])} → {_show(reader, owners, field, value)}"
        for field, value in new.items()
        if value != old[field]
    )


def _names(reader: Reader) -> dict[str, str]:
    return {
        "name": reader.say("name"),
        "external_id": reader.say("id"),
        "state": reader.say("state"),
        "tier": reader.say("tier"),
        "industry": reader.say("industry"),
        "seats": reader.say("seats"),
        "owner_id": reader.say("owner"),
        "channel_id": reader.say("channel"),
        "country": reader.say("country"),
        "started_on": reader.say("customer since"),
        "aliases": reader.say("other names"),
    }


def _show(reader: Reader, owners: Mapping[str, MemberRow], field: str, value: object) -> str:
    match field, value:
        case _, None | "" | ():
            return _NOTHING
        case "owner_id", str(id_):
            return mention(owners[id_].slack_id) if id_ in owners else reader.say("somebody who left")
        case "channel_id", _:
            return f"<#{value}>"
        case "country", str(code):
            return esc(reader.country(code))
        case _, date() as day:
            return reader.date(day)
        case "state", AccountState() as state:
            return state_words(reader, state)
        case _, tuple(several):
            return esc(", ".join(several))
        case _, int(count):
            return reader.number(count)
        case _:
            return esc(str(value))
