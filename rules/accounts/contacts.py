"""Contacts: what makes a valid one, and the intents that add, change or remove it. Refuses storage and words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date

from pydantic import TypeAdapter

from rules.errors import UserError
from rules.records import ContactRole

NAME_LENGTH = 120
EMAIL_LENGTH = 254
PHONE_LENGTH = 40
# One "@", something before it, and a domain with a dot; whether the box exists only a letter would show.
_EMAIL = re.compile(r"[^\s@<>(),;:\"]+@[^\s@<>(),;:\".]+(\.[^\s@<>(),;:\".]+)+")


@dataclass(frozen=True)
class ContactDraft:
    """A person at the customer as somebody describes them; only the name is needed. `left_on`: no longer there."""

    name: str
    email: str = ""
    phone: str = ""
    title: str = ""
    team: str = ""
    role: ContactRole = ContactRole.USER
    left_on: date | None = None


@dataclass(frozen=True)
class AddContact:
    """Keep this person."""

    account_id: str
    draft: ContactDraft


@dataclass(frozen=True)
class ChangeContact:
    """Write what differs, columns by name. `undoes` is the id of the change this one takes back ("" for none)."""

    contact_id: str
    changes: Mapping[str, object]
    undoes: str = ""


@dataclass(frozen=True)
class RemoveContact:
    """Take a person off the list. `is_undo`: they were added by mistake a moment ago."""

    contact_id: str
    is_undo: bool = False


@dataclass(frozen=True)
class RestoreContact:
    """Put a removed person back."""

    contact_id: str


ContactIntent = AddContact | ChangeContact | RemoveContact | RestoreContact


def is_email(text: str) -> bool:
    """Whether `text` has the shape of an e-mail address."""
    return len(text) <= EMAIL_LENGTH and _EMAIL.fullmatch(text) is not None


def decide_contact(account_id: str, draft: ContactDraft, today: date) -> list[ContactIntent]:
    """The intents that keep `draft`. Raises `UserError` with the field at fault."""
    _check(draft, today)
    return [AddContact(account_id, draft)]


def decide_contact_change(
    contact_id: str, present: ContactDraft, wanted: ContactDraft, today: date, *, undoes: str = ""
) -> list[ContactIntent]:
    """The intents that turn a contact into `wanted`; none where nothing differs. Raises `UserError`."""
    _check(wanted, today)
    before = vars(present)
    changes = {name: value for name, value in vars(wanted).items() if value != before[name]}
    return [ChangeContact(contact_id, changes, undoes)] if changes else []


def put_contact_back(present: ContactDraft, before: Mapping[str, object]) -> ContactDraft:
    """The contact with the values that fields had `before` a change, as the audit keeps them (JSON)."""
    known = {name: value for name, value in before.items() if name in vars(present)}
    return TypeAdapter(ContactDraft).validate_python(asdict(present) | known)


def _check(draft: ContactDraft, today: date) -> None:
    if not draft.name:
        raise UserError("A contact needs a name: type it first.", field="name")
    limits = {"name": NAME_LENGTH, "title": NAME_LENGTH, "team": NAME_LENGTH, "phone": PHONE_LENGTH}
    for name, limit in limits.items():
        if len(getattr(draft, name)) > limit:
            raise UserError("That is too long. Type {limit} characters at most.", field=name, limit=limit)
    if draft.email and not is_email(draft.email):
        raise UserError("“{text}” is no e-mail address. Type it like jo@example.com.", field="email", text=draft.email)
    if draft.left_on is not None and draft.left_on > today:
        raise UserError("This day is still to come. Leave it empty until they have left.", field="left_on")
