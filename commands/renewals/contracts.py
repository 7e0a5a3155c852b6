"""Contracts by hand: `/cs contract`, its form, list and undo. Owns how people keep contracts; imports write the same
table. Refuses renewals, which follow by themselves (`storage.renewals.keeping`).
"""

from __future__ import annotations

from commands.access import require_on
from commands.blocks.accounts import shown_name
from commands.blocks.renewals import CONTRACTS, CONTRACTS_ADD, amount_words, renewal_button
from commands.kit import Element, Json, actions, button, clip, context, esc, message, section
from commands.naming import find_account_here
from commands.renewals.contract_forms import CONTRACT_FORM, open_contract_form, read_contract_form
from commands.renewals.renewal_views import name_person
from commands.slice import Button, Call, Command, Form, Message, Ref, Reply, Whisper, answer_in_place
from commands.typed import get_today
from rules.errors import StaleError, UserError
from rules.people.roles import Permission
from rules.renewals.contracts import (
    ChangeContract,
    ContractDraft,
    RemoveContract,
    decide_add_contract,
    decide_change_contract,
    fingerprint,
)
from rules.undo import Done, check_undo
from storage.accounts.accounts import AccountRow, get_account
from storage.alerts.alerts import enqueue_refresh
from storage.audit import AuditRow, find_change, find_latest_change
from storage.db import Tx
from storage.people.members import get_members
from storage.people.workspaces import get_workspace
from storage.renewals.contract_writes import (
    ADDED,
    CHANGED,
    LOGGED_AS,
    UNDONE,
    apply_contracts,
    is_contract_decided,
    read_values,
    to_draft,
)
from storage.renewals.contracts import ContractRow, find_contract, get_contract, list_contracts, lock_contract
from storage.renewals.keeping import keep_renewals
from words.reader import Reader

EDIT_CONTRACT, UNDO_CONTRACT = "renewals.edit_contract", "renewals.undo_contract"
LIST_LENGTH = 20


def contract(call: Call, tx: Tx) -> list[Reply]:
    """`/cs contract [ACCOUNT]`: the account's contracts; without a name, the form."""
    account, rest = find_account_here(call, tx, call.text)
    if account is None:
        call.require(Permission.ACCOUNT_WRITE)
        return [open_contract_form(call, None, None, get_workspace(tx).currency)]
    if rest:
        sentence = "I found {account}, but not what “{rest}” means. Type the name alone."
        raise UserError(sentence, account=account.name, rest=rest)
    return [Whisper(_list_message(call, tx, account))]


def show_contracts(call: Call, tx: Tx) -> list[Reply]:
    """The button: the account's contracts."""
    return [Whisper(_list_message(call, tx, get_account(tx, call.ref.id if call.ref else "")))]


def open_add(call: Call, tx: Tx) -> list[Reply]:
    """The button: the empty form, for its account or for one to choose."""
    home = get_workspace(tx).currency
    if call.ref is None or not call.ref.id:
        call.require(Permission.ACCOUNT_WRITE)
        return [open_contract_form(call, None, None, home)]
    account = get_account(tx, call.ref.id)
    require_on(call, tx, Permission.ACCOUNT_WRITE, account)
    return [open_contract_form(call, account, None, home)]


def open_edit(call: Call, tx: Tx) -> list[Reply]:
    """The button: the form of a contract that exists."""
    row = get_contract(tx, call.ref.id if call.ref and call.ref.kind == "contract" else "")
    account = get_account(tx, row.account_id)
    require_on(call, tx, Permission.ACCOUNT_WRITE, account)
    return [open_contract_form(call, account, to_draft(row), row.currency)]


def submit(call: Call, tx: Tx) -> list[Reply]:
    """The form: a contract added or changed, its renewal with it, or the field at fault named."""
    ref = call.ref
    if ref is not None and ref.kind == "contract":
        return [Whisper(_change(call, tx, get_contract(tx, ref.id)))]
    account = get_account(tx, call.value("account") or (ref.id if ref and ref.kind == "account" else ""))
    require_on(call, tx, Permission.ACCOUNT_WRITE, account)
    today = get_today(call, tx)
    draft = read_contract_form(call, account.id, None, get_workspace(tx).currency, today)
    (row,) = apply_contracts(tx, decide_add_contract(draft, today), call.person.actor, call.now)
    _follow(call, tx, account)
    return [Whisper(_saved(call, account, row, ADDED))]


def undo(call: Call, tx: Tx) -> list[Reply]:
    """Takes the last change of a contract back, within the time and by whom `rules.undo` allows."""
    call.require(Permission.ACCOUNT_WRITE)
    contract_id, verb = call.ref.id if call.ref else "", call.ref.extra.get("verb", ADDED) if call.ref else ADDED
    done = find_change(tx, verb if verb in (ADDED, CHANGED) else ADDED, contract_id)
    if done is None or done.account_id is None:
        raise StaleError("This contract no longer exists.")
    account = get_account(tx, done.account_id)
    require_on(call, tx, Permission.READ, account)
    _check_undo(call, tx, done)
    if verb == ADDED:
        apply_contracts(tx, [RemoveContract(contract_id)], call.person.actor, call.now)
    else:
        before = ChangeContract(contract_id, read_values(done.before or {}))
        apply_contracts(tx, [before], call.person.actor, call.now, verb=UNDONE)
    _follow(call, tx, account)
    said = call.reader.say("Undone: the contract of {account}.", account=shown_name(account))
    return [answer_in_place(call, message(said))]


# ---------------------------------------------------------------- writing


def _change(call: Call, tx: Tx, row: ContractRow) -> Message:
    lock_contract(tx, row.external_id)
    account, today, present = get_account(tx, row.account_id), get_today(call, tx), to_draft(row)
    require_on(call, tx, Permission.ACCOUNT_WRITE, account)
    _require_unchanged(call, tx, present)
    wanted = read_contract_form(call, account.id, present, row.currency, today)
    intents = decide_change_contract(present, wanted, today)
    if not intents:
        return message(call.reader.say("Nothing was changed."))
    (changed,) = apply_contracts(tx, intents, call.person.actor, call.now)
    _follow(call, tx, account)
    return _saved(call, account, changed, CHANGED)


def _require_unchanged(call: Call, tx: Tx, present: ContractDraft) -> None:
    """Raise `StaleError`, with who was first, where the contract changed since the form was opened."""
    if call.ref and call.ref.extra.get("seen") == fingerprint(present):
        return
    last = find_latest_change(tx, LOGGED_AS, present.id)
    member = get_members(tx, [last.actor_id]).get(last.actor_id) if last else None
    raise StaleError(
        "Nothing was saved: {who} changed this contract while your form was open. Open it anew to see how it stands.",
        who=name_person(call.reader, member),
    )


def _check_undo(call: Call, tx: Tx, done: AuditRow) -> None:
    lock_contract(tx, done.object_id)
    last = find_latest_change(tx, LOGGED_AS, done.object_id)
    is_undone = find_contract(tx, done.object_id) is None or (last is not None and last.verb == UNDONE)
    is_needed = is_contract_decided(tx, done.object_id) or (last is not None and last.id != done.id)
    check_undo(
        Done(done.at, done.actor_id, is_undone=is_undone, is_needed=is_needed),
        call.person.id,
        call.person.role,
        call.now,
    )


def _follow(call: Call, tx: Tx, account: AccountRow) -> None:
    """Renewals and open alerts tell of contracts."""
    keep_renewals(tx, [account.id], get_today(call, tx), call.person.actor, call.now)
    enqueue_refresh(tx, account.id, call.now)


# ---------------------------------------------------------------- showing


def _saved(call: Call, account: AccountRow, row: ContractRow, verb: str) -> Message:
    reader = call.reader
    name, what = f"*{shown_name(account)}*", _contract_line(reader, row)
    said = (
        reader.say("Added for {account}: {contract}.", account=name, contract=what)
        if verb == ADDED
        else reader.say("Changed for {account}: {contract}.", account=name, contract=what)
    )
    taken_back = button(reader.say("Undo"), UNDO_CONTRACT, Ref("contract", row.external_id, {"verb": verb}))
    return message(said, section(said), actions(renewal_button(reader, account.id), taken_back))


def _list_message(call: Call, tx: Tx, account: AccountRow) -> Message:
    reader = call.reader
    require_on(call, tx, Permission.READ, account)
    rows = list_contracts(tx, [account.id]).get(account.id, [])[::-1]
    name = f"*{shown_name(account)}*"
    title = reader.say_many("{account}: {count} contract", "{account}: {count} contracts", len(rows), account=name)
    ref = Ref("account", account.id)
    if not rows:
        text = reader.say("{account} has no contract yet.", account=name)
        hint = reader.say("With one, Milepost reminds of the renewal from 120 days before the decision.")
        add = button(reader.say("Add a contract"), CONTRACTS_ADD, ref, style="primary")
        return message(text, section(text), context(hint), actions(add))
    lines: list[Json] = [
        section(_contract_line(reader, row), accessory=_edit_button(reader, row)) for row in rows[:LIST_LENGTH]
    ]
    more = len(rows) - LIST_LENGTH
    rest = [context(reader.say_many("and {count} more", "and {count} more", more))] if more > 0 else []
    add = button(reader.say("Add a contract"), CONTRACTS_ADD, ref)
    return message(title, section(title), *lines, *rest, actions(renewal_button(reader, account.id), add))


def _edit_button(reader: Reader, row: ContractRow) -> Element:
    return button(reader.say("Edit"), EDIT_CONTRACT, Ref("contract", row.external_id))


def _contract_line(reader: Reader, row: ContractRow) -> str:
    """Dates, money, seats, notice: "1 Jun 2025 – 31 May 2026 · €84k a year · 60 seats"."""
    amount = amount_words(reader, row.yearly_minor, row.currency)
    parts = [
        _dates(reader, row),
        reader.say("{amount} a year", amount=amount) if amount else "",
        "" if row.seats is None else reader.say_many("{count} seat", "{count} seats", row.seats),
        reader.say("renews by itself") if row.is_auto_renew and row.end_on else "",
        reader.say("notice until {day}", day=reader.date(row.notice_by)) if row.notice_by else "",
        reader.say("notice received {day}", day=reader.date(row.notice_received_on)) if row.notice_received_on else "",
        "" if row.kind == "subscription" else esc(clip(row.kind, LIST_LENGTH)),
    ]
    return " · ".join(part for part in parts if part)


def _dates(reader: Reader, row: ContractRow) -> str:
    start = reader.date(row.start_on)
    if row.end_on is not None:
        return f"{start} – {reader.date(row.end_on)}"
    return reader.say_many(
        "since {start}, by the month", "since {start}, by {count} months", row.term_months, start=start
    )


COMMAND = Command(
    "contract",
    "[ACCOUNT]",
    "See, add and edit an account's contracts",
    contract,
    "reads",
    ("contract acme", "contract"),
)
BUTTONS = (
    Button(CONTRACTS, show_contracts, "reads"),
    Button(CONTRACTS_ADD, open_add, "reads"),
    Button(EDIT_CONTRACT, open_edit, "reads"),
    Button(UNDO_CONTRACT, undo, "writes"),
)
FORM = Form(CONTRACT_FORM, submit)
