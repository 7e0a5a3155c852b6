"""The account as typed after `/cs add` and as a form. Owns reading both into an `AccountDraft`; stores nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from commands.accounts.account_channel import channel_note
from commands.blocks.accounts import state_words
from commands.kit import (
    Json,
    channel_menu,
    date_picker,
    form_field,
    menu,
    person_menu,
    text_input,
)
from commands.slice import Call, FormView, OpenForm, Ref
from commands.typed import (
    get_person,
    get_today,
    get_worker,
    read_count,
    read_country,
    read_date,
    split_mentions,
    split_quoted,
)
from rules.accounts.accounts import NAME_LENGTH, AccountDraft
from rules.errors import UserError
from rules.records import AccountState, Tier
from storage.accounts.accounts import find_account
from storage.db import Tx
from storage.people.members import get_members

ACCOUNT_FORM = "accounts.account"
_ALIASES_LENGTH = 1000
_KEYS = {
    "tier": "tier",
    "等级": "tier",
    "seats": "seats",
    "席位": "seats",
    "id": "external_id",
    "industry": "industry",
    "行业": "industry",
    "aka": "aliases",
    "alias": "aliases",
    "aliases": "aliases",
    "别名": "aliases",
    "state": "state",
    "country": "country",
    "国家": "country",
    "since": "started_on",
}
# A key counts after the first word only, and with a colon or "=" or a plain space: "Acme tier A, seats 60".
_KEY = re.compile(rf"(?<=[\s,;，；])(?P<key>{'|'.join(_KEYS)})\b\s*[:=：]?\s*", re.IGNORECASE)


def read_account(text: str, tx: Tx, today: date) -> AccountDraft:
    """`Acme Corp tier A seats 60 industry Software country DE since 2024-03-01 id A-1 aka Acme, ACM @owner #channel`,
    in any order after the name.

    Raises `UserError` for what cannot be read.
    """
    person, channel, rest = split_mentions(text)
    quoted, rest = split_quoted(rest)
    lead, parts = _split_keys(rest)
    fields = {"name": _tidy(quoted or lead), **{key: _tidy(value) for key, value in parts}}
    return _to_draft(fields, tx, today, person, channel)


def read_account_form(call: Call, tx: Tx) -> AccountDraft:
    """The submitted form. Raises `UserError` with the field at fault."""
    names = ("name", "external_id", "state", "tier", "industry", "seats", "aliases", "country", "started_on")
    fields = {name: call.value(name) for name in names}
    account = find_account(tx, call.ref.id) if call.ref and call.ref.id else None
    kept_id = (account.owner_id if account else None) or ""
    return _to_draft(fields, tx, get_today(call, tx), call.value("owner"), call.value("channel"), kept_id)


def open_account_form(
    call: Call, tx: Tx, draft: AccountDraft, account_id: str = "", seen: Mapping[str, str] | None = None
) -> OpenForm:
    """The form for a new account, or (with its id, and what was `seen` of it) for one that exists."""
    reader = call.reader
    owner = get_members(tx, [draft.owner_id]).get(draft.owner_id) if draft.owner_id else None
    title = reader.say("Edit account") if account_id else reader.say("Add an account")
    note = channel_note(reader, tx, draft.channel_id)
    fields = (*_name_fields(call, draft), *_team_fields(call, draft, owner.slack_id if owner else "", note))
    return OpenForm(FormView(ACCOUNT_FORM, title, fields, reader.say("Save"), Ref("account", account_id, seen or {})))


def _to_draft(
    fields: dict[str, str], tx: Tx, today: date, person: str, channel: str, kept_id: str = ""
) -> AccountDraft:
    """`kept_id` is the present owner, who may stay whatever their role became."""
    country, since = fields.get("country", ""), fields.get("started_on", "")
    seats, aliases = fields.get("seats", ""), re.split(r"[,;，；、\n]", fields.get("aliases", ""))
    draft = AccountDraft(
        name=" ".join(fields.get("name", "").split()),
        external_id=fields.get("external_id", ""),
        industry=fields.get("industry", ""),
        seats=read_count(seats, field="seats") if seats else None,
        owner_id=_find_owner_id(tx, person, kept_id) if person else None,
        channel_id=channel,
        country=read_country(country, field="country") if country else "",
        started_on=read_date(since, today, prefer="past", field="started_on") if since else None,
        aliases=tuple(dict.fromkeys(" ".join(each.split()) for each in aliases if each.strip())),
    )
    return replace(draft, tier=_read_tier(fields.get("tier", "")), state=_read_state(fields.get("state", "")))


def _find_owner_id(tx: Tx, person: str, kept_id: str) -> str:
    member = get_person(tx, person)
    return member.id if member.id == kept_id else get_worker(tx, person).id


def _read_tier(text: str) -> Tier | None:
    if not text:
        return None
    if text.upper() not in list(Tier):
        raise UserError("A tier is A, B, C or D, not “{text}”.", field="tier", text=text)
    return Tier(text.upper())


def _read_state(text: str) -> AccountState:
    if not text:
        return AccountState.CUSTOMER
    if text.lower() not in list(AccountState):
        raise UserError("A state is prospect, trial, customer or lost, not “{text}”.", field="state", text=text)
    return AccountState(text.lower())


def _split_keys(text: str) -> tuple[str, list[tuple[str, str]]]:
    found = list(_KEY.finditer(text))
    starts = [match.start() for match in found] + [len(text)]
    parts = [
        (_KEYS[match["key"].lower()], text[match.end() : end]) for match, end in zip(found, starts[1:], strict=True)
    ]
    return text[: starts[0]], parts


def _tidy(text: str) -> str:
    return text.strip(" ,;，；\t")


def _name_fields(call: Call, draft: AccountDraft) -> tuple[Json, ...]:
    reader = call.reader
    optional = (
        ("external_id", reader.say("Id in your other systems"), draft.external_id),
        ("industry", reader.say("Industry"), draft.industry),
        ("country", reader.say("Country"), reader.country(draft.country) if draft.country else ""),
    )
    aliases = text_input(initial=", ".join(draft.aliases), max_length=_ALIASES_LENGTH)
    return (
        form_field("name", reader.say("Name"), text_input(initial=draft.name, max_length=NAME_LENGTH)),
        form_field("aliases", reader.say("Other names, with commas between"), aliases, is_optional=True),
        *(
            form_field(name, label, text_input(initial=value, max_length=NAME_LENGTH), is_optional=True)
            for name, label, value in optional
        ),
    )


def _team_fields(call: Call, draft: AccountDraft, owner: str, channel_note: str) -> tuple[Json, ...]:
    reader = call.reader
    tiers = [(tier.value, tier.value) for tier in Tier]
    states = [(state.value, state_words(reader, state)) for state in AccountState]
    seats = "" if draft.seats is None else str(draft.seats)
    tier = draft.tier.value if draft.tier else ""
    fields = (
        ("state", reader.say("State"), menu("value", "…", states, initial=draft.state.value)),
        ("tier", reader.say("Tier"), menu("value", reader.say("A to D"), tiers, initial=tier)),
        ("seats", reader.say("Seats"), text_input(initial=seats, placeholder="60")),
        ("owner", reader.say("Owner"), person_menu(reader.say("Choose a person"), initial=owner)),
        (
            "channel",
            reader.say("Channel of the account"),
            channel_menu(reader.say("Choose a channel"), initial=draft.channel_id),
        ),
        ("started_on", reader.say("Customer since"), date_picker(initial=draft.started_on)),
    )
    hints = {"channel": channel_note}
    return tuple(
        form_field(name, label, element, hint=hints.get(name, ""), is_optional=name != "state")
        for name, label, element in fields
    )
