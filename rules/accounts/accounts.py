"""Accounts: what makes a valid one, and the intents that add, change, archive or remove it. Refuses storage, folding
and words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date

from pydantic import TypeAdapter

from rules.errors import UserError
from rules.records import AccountState, Tier

NAME_LENGTH = 120
ALIAS_COUNT = 20
SEATS_LIMIT = 100_000_000
REASON_LENGTH = 300


@dataclass(frozen=True)
class AccountDraft:
    """A customer as somebody describes it; only the name is needed. `owner_id` is a member, `channel_id` Slack's,
    `country` an ISO code of two letters, `started_on` when it became a customer.
    """

    name: str
    external_id: str = ""
    state: AccountState = AccountState.CUSTOMER
    tier: Tier | None = None
    industry: str = ""
    seats: int | None = None
    owner_id: str | None = None
    channel_id: str = ""
    country: str = ""
    started_on: date | None = None
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
    """Write what differs: columns by name, and all other names when they changed (else None). `undoes` is the id of the
    change this one takes back ("" for none).
    """

    account_id: str
    changes: Mapping[str, object]
    aliases: tuple[str, ...] | None = None
    undoes: str = ""


@dataclass(frozen=True)
class ArchiveAccount:
    """Put an account away with all that belongs to it: nothing looks at it or tells of it any more."""

    account_id: str
    reason: str = ""


@dataclass(frozen=True)
class RestoreAccount:
    """Bring an archived account back."""

    account_id: str


AccountIntent = AddAccount | RemoveAccount | ChangeAccount | ArchiveAccount | RestoreAccount


def decide_add(draft: AccountDraft) -> list[AccountIntent]:
    """The intents that add `draft`. Raises `UserError` with the field at fault."""
    _check(draft)
    return [AddAccount(draft)]


def decide_change(
    account_id: str, present: AccountDraft, wanted: AccountDraft, *, undoes: str = ""
) -> list[AccountIntent]:
    """The intents that turn an account into `wanted`; none where nothing differs. Raises `UserError`."""
    _check(wanted)
    before, after = vars(present), vars(wanted)
    changes = {name: value for name, value in after.items() if value != before[name] and name != "aliases"}
    aliases = wanted.aliases if set(wanted.aliases) != set(present.aliases) else None
    return [ChangeAccount(account_id, changes, aliases, undoes)] if changes or aliases is not None else []


def decide_archive(account_id: str, reason: str) -> list[AccountIntent]:
    """The intents that archive an account. Raises `UserError` for a reason that is too long."""
    if len(reason) > REASON_LENGTH:
        raise UserError("That is too long. Type {limit} characters at most.", field="reason", limit=REASON_LENGTH)
    return [ArchiveAccount(account_id, reason)]


def put_back(present: AccountDraft, before: Mapping[str, object]) -> AccountDraft:
    """The account with the values that fields had `before` a change, as the audit keeps them (JSON)."""
    values = asdict(present) | {name: value for name, value in before.items() if name in vars(present)}
    return TypeAdapter(AccountDraft).validate_python(values | {"external_id": values["external_id"] or ""})


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
