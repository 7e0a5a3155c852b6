"""Accounts: what makes a valid one, and the intents that add or remove it. Refuses storage, folding and words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rules.errors import UserError
from rules.records import AccountState, Tier

NAME_LENGTH = 120
ALIAS_COUNT = 20
SEATS_LIMIT = 100_000_000


@dataclass(frozen=True)
class AccountDraft:
    """A customer as somebody describes it; only the name is needed. `owner_id` is a member, `channel_id` Slack's."""

    name: str
    external_id: str = ""
    state: AccountState = AccountState.CUSTOMER
    tier: Tier | None = None
    industry: str = ""
    seats: int | None = None
    owner_id: str | None = None
    channel_id: str = ""
    aliases: tuple[str, ...] = field(default=())


@dataclass(frozen=True)
class AddAccount:
    """Store this account."""

    draft: AccountDraft


@dataclass(frozen=True)
class RemoveAccount:
    """Take back an account that nothing depends on."""

    account_id: str


@dataclass(frozen=True)
class ChangeAccount:
    """Write what differs: columns by name, and all other names when they changed (else None)."""

    account_id: str
    changes: Mapping[str, object]
    aliases: tuple[str, ...] | None = None


AccountIntent = AddAccount | RemoveAccount | ChangeAccount


def decide_add(draft: AccountDraft) -> list[AccountIntent]:
    """The intents that add `draft`. Raises `UserError` with the field at fault."""
    _check(draft)
    return [AddAccount(draft)]


def decide_change(account_id: str, present: AccountDraft, wanted: AccountDraft) -> list[AccountIntent]:
    """The intents that turn an account into `wanted`; none where nothing differs. Raises `UserError`."""
    _check(wanted)
    before, after = vars(present), vars(wanted)
    changes = {name: value for name, value in after.items() if value != before[name] and name != "aliases"}
    aliases = wanted.aliases if set(wanted.aliases) != set(present.aliases) else None
    return [ChangeAccount(account_id, changes, aliases)] if changes or aliases is not None else []


def _check(draft: AccountDraft) -> None:
    _require_short("name", draft.name)
    for name, texts in (
        ("external_id", [draft.external_id]),
        ("industry", [draft.industry]),
        ("aliases", draft.aliases),
    ):
        for text in texts:
            _require_short(name, text, is_needed=False)
    if len(draft.aliases) > ALIAS_COUNT:
        raise UserError(
            "An account can have {limit} other names at most. Leave some out.", field="aliases", limit=ALIAS_COUNT
        )
    if draft.seats is not None and not 0 < draft.seats <= SEATS_LIMIT:
        raise UserError("Seats are a whole number from 1 to {limit}.", field="seats", limit=SEATS_LIMIT)


def _require_short(name: str, text: str, *, is_needed: bool = True) -> None:
    if is_needed and not text:
        raise UserError("An account needs a name: type it first.", field=name)
    if len(text) > NAME_LENGTH:
        raise UserError("That is too long. Type {limit} characters at most.", field=name, limit=NAME_LENGTH)
