"""What a form or a button saw, compared with what is there now. Owns the refusal that names who was first; the audit
serves as the version of accounts and contacts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from commands.slice import Call, Ref
from rules.errors import StaleError
from rules.undo import Done, check_undo
from storage.accounts.accounts import lock_account
from storage.accounts.contacts import lock_contact
from storage.audit import AuditRow, count_changes, find_change, find_latest_change, find_line
from storage.db import Tx
from storage.people.members import get_members


@dataclass(frozen=True)
class Versioned:
    """A kind of object: the words by which the audit names it (imports name the table), and how one is kept from others
    while its version is compared.
    """

    kinds: tuple[str, ...]
    lock: Callable[[Tx, str], None]


ACCOUNT = Versioned(("account", "accounts", "account_aliases"), lock_account)
CONTACT = Versioned(("contact",), lock_contact)


def seen_now(tx: Tx, of: Versioned, object_id: str) -> dict[str, str]:
    """What a form or button carries to know later whether the object was changed since."""
    return {"seen": str(count_changes(tx, of.kinds, object_id))}


def require_unchanged(call: Call, tx: Tx, of: Versioned, object_id: str) -> None:
    """Raise `StaleError`, naming who changed the object after the call's form was opened."""
    seen = call.ref.extra.get("seen") if call.ref else None
    of.lock(tx, object_id)
    if seen is None or seen == str(count_changes(tx, of.kinds, object_id)):
        return
    latest = find_latest_change(tx, of.kinds, object_id)
    raise StaleError(
        "{who} changed this while your form was open. Nothing was saved: close it and open it again.",
        who=who_words(call, tx, latest),
    )


def undo_ref(tx: Tx, kind: str, object_id: str, verb: str, of: Versioned) -> Ref:
    """What the Undo button of a change just made carries."""
    change = find_change(tx, verb, object_id)
    return Ref(kind, object_id, {"change": change.id if change else "", **seen_now(tx, of, object_id)})


def get_undoable(call: Call, tx: Tx, verb: str, of: Versioned) -> AuditRow:
    """The change of `verb` that an Undo button is about. Raises unless `rules.undo` lets the person take it back: soon,
    once, and as long as nothing else was changed.
    """
    extra = call.ref.extra if call.ref else {}
    object_id, subject = call.ref.id if call.ref else "", verb.partition(".")[0]
    of.lock(tx, object_id)
    change = find_line(tx, extra.get("change", ""))
    if change is None or change.object_id != object_id or change.verb != verb:
        raise StaleError("There is nothing to undo here any more.")
    reverted = find_change(tx, f"{subject}.reverted", object_id)
    is_undone = reverted is not None and (reverted.after or {}).get("undoes") == change.id
    is_needed = not is_undone and extra.get("seen") != str(count_changes(tx, of.kinds, object_id))
    done = Done(change.at, change.actor_id, is_undone=is_undone, is_needed=is_needed)
    check_undo(done, call.person.id, call.person.role, call.now)
    return change


def who_words(call: Call, tx: Tx, change: AuditRow | None) -> str:
    """Who made a change, without markup, as it may stand under a field of a form."""
    if change is None or change.actor_kind != "member":
        return call.reader.say("An import")
    member = get_members(tx, [change.actor_id]).get(change.actor_id)
    return (member.name if member else "") or call.reader.say("A colleague")
