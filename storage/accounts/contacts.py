"""Contacts: the people at the customer, and what each is to us. Owns their table, queries and writes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from sqlalchemy import case
from sqlmodel import SQLModel, col, func, select

from rules.accounts.contacts import AddContact, ChangeContact, ContactDraft, ContactIntent, RemoveContact
from rules.errors import StaleError, UserError
from rules.records import Actor, Change, ContactRole
from storage.audit import record
from storage.db import Tx
from storage.errors import NotFoundError
from storage.fields import account, choice, key, moment, workspace
from storage.lookup import is_among
from storage.merge import as_json


class ContactRow(SQLModel, table=True):
    """One person at a customer. `left_on`: no longer there (a sponsor who left weighs on health); `removed_at`: taken
    off the list by us.
    """

    __tablename__ = "contacts"

    id: str = key()
    workspace_id: str = workspace()
    account_id: str = account()
    name: str
    email: str = ""
    phone: str = ""
    title: str = ""
    team: str = ""
    role: ContactRole = choice(ContactRole, default=ContactRole.USER)
    is_primary: bool = False
    left_on: date | None = None
    created_at: datetime = moment()
    removed_at: datetime | None = moment(default=None, nullable=True)


# ---------------------------------------------------------------- reading


def get_contact(tx: Tx, contact_id: str) -> ContactRow:
    """The contact, also a removed one. Raises `NotFoundError`."""
    found = get_contacts(tx, [contact_id]).get(contact_id)
    if found is None:
        raise NotFoundError("This contact no longer exists. See `/cs contacts` for those that do.")
    return found


def get_contacts(tx: Tx, ids: Iterable[str]) -> dict[str, ContactRow]:
    """Those of the contacts that exist, by id, also removed ones."""
    rows = tx.session.exec(
        select(ContactRow).where(ContactRow.workspace_id == tx.workspace_id, col(ContactRow.id).in_(list(ids)))
    )
    return {row.id: row for row in rows}


def lock_contact(tx: Tx, contact_id: str) -> None:
    """Keep others from changing the contact until the transaction ends, and read it afresh."""
    query = select(ContactRow).where(ContactRow.workspace_id == tx.workspace_id, ContactRow.id == contact_id)
    tx.session.exec(query.with_for_update().execution_options(populate_existing=True)).first()


def list_contacts(tx: Tx, account_id: str) -> list[ContactRow]:
    """The people of an account: those still there first, by role (sponsor, champion, …), then by name."""
    rank = case(*((col(ContactRow.role) == each, at) for at, each in enumerate(ContactRole)))
    return list(
        tx.session.exec(
            select(ContactRow)
            .where(
                ContactRow.workspace_id == tx.workspace_id,
                ContactRow.account_id == account_id,
                col(ContactRow.removed_at).is_(None),
            )
            .order_by(col(ContactRow.left_on).is_not(None), rank, col(ContactRow.name), col(ContactRow.id))
        )
    )


def list_sponsors(tx: Tx, account_ids: Iterable[str]) -> dict[str, list[ContactRow]]:
    """The sponsors of each account that has any, those who left among them: who is still there first, then who left
    last.
    """
    rows = tx.session.exec(
        select(ContactRow)
        .where(
            ContactRow.workspace_id == tx.workspace_id,
            is_among(tx, col(ContactRow.account_id), account_ids),
            ContactRow.role == ContactRole.SPONSOR,
            col(ContactRow.removed_at).is_(None),
        )
        .order_by(col(ContactRow.left_on).is_not(None), col(ContactRow.left_on).desc(), col(ContactRow.name))
    )
    found: dict[str, list[ContactRow]] = {}
    for row in rows:
        found.setdefault(row.account_id, []).append(row)
    return found


def to_contact_draft(row: ContactRow) -> ContactDraft:
    """The contact as its form shows it."""
    return ContactDraft(**{name: getattr(row, name) for name in ContactDraft.__dataclass_fields__})


# ---------------------------------------------------------------- writing


def apply_contacts(tx: Tx, intents: Sequence[ContactIntent], actor: Actor, now: datetime) -> list[ContactRow]:
    """Carry the intents out, with audit. Returns the contacts added, changed or removed, one per intent.

    Raises `UserError` for an e-mail address that the account has already, `StaleError` for a contact that was removed
    (or put back) before, `NotFoundError` for one that never was.
    """
    return [_apply(tx, intent, actor, now) for intent in intents]


def _apply(tx: Tx, intent: ContactIntent, actor: Actor, now: datetime) -> ContactRow:
    if isinstance(intent, AddContact):
        return _add(tx, intent, actor, now)
    row = get_contact(tx, intent.contact_id)
    if isinstance(intent, ChangeContact):
        return _change(tx, row, intent, actor, now)
    return _set_removed(tx, row, intent, actor, now)


def _add(tx: Tx, intent: AddContact, actor: Actor, now: datetime) -> ContactRow:
    _require_free(tx, intent.account_id, intent.draft.email)
    row = ContactRow(workspace_id=tx.workspace_id, account_id=intent.account_id, created_at=now, **vars(intent.draft))
    tx.session.add(row)
    tx.session.flush()
    record(tx, Change("contact.added", "contact", row.id, row.account_id, after=_describe(row)), actor, now)
    return row


def _change(tx: Tx, row: ContactRow, intent: ChangeContact, actor: Actor, now: datetime) -> ContactRow:
    if row.removed_at is not None:
        raise StaleError("This contact was removed. Nothing was changed.")
    _require_free(tx, row.account_id, str(intent.changes.get("email") or ""), but=row.id)
    before = as_json({name: getattr(row, name) for name in intent.changes})
    for name, value in intent.changes.items():
        setattr(row, name, value)
    tx.session.flush()
    verb = "contact.reverted" if intent.undoes else "contact.changed"
    after = as_json(intent.changes) | ({"undoes": intent.undoes} if intent.undoes else {})
    told = {"name": row.name}
    record(tx, Change(verb, "contact", row.id, row.account_id, before=told | before, after=told | after), actor, now)
    return row


def _set_removed(tx: Tx, row: ContactRow, intent: ContactIntent, actor: Actor, now: datetime) -> ContactRow:
    is_removal = isinstance(intent, RemoveContact)
    if (row.removed_at is not None) is is_removal:
        raise StaleError("This was done already. Nothing was changed.")
    if not is_removal:
        _require_free(tx, row.account_id, row.email)
    row.removed_at = now if is_removal else None
    tx.session.flush()
    if isinstance(intent, RemoveContact):
        verb = "contact.undone" if intent.is_undo else "contact.removed"
        record(tx, Change(verb, "contact", row.id, row.account_id, before=_describe(row)), actor, now)
    else:
        record(tx, Change("contact.restored", "contact", row.id, row.account_id, after=_describe(row)), actor, now)
    return row


def _require_free(tx: Tx, account_id: str, email: str, *, but: str = "") -> None:
    if not email:
        return
    same = tx.session.exec(
        select(ContactRow).where(
            ContactRow.workspace_id == tx.workspace_id,
            ContactRow.account_id == account_id,
            func.lower(ContactRow.email) == email.lower(),
            col(ContactRow.removed_at).is_(None),
            ContactRow.id != but,
        )
    ).first()
    if same is not None:
        sentence = "{name} has this e-mail address already. Nothing was saved: edit that contact instead."
        raise UserError(sentence, field="email", name=same.name)


def _describe(row: ContactRow) -> dict[str, object]:
    return as_json(vars(to_contact_draft(row)))
