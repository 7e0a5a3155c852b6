"""Risks: `/cs risk`, `/cs risks`, plan and owner, closing, reopening, undo. Owns acting on them; refuses their lists
(`risk_lists`) and their forms (`risk_forms`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from commands.access import require_on
from commands.blocks.checkins import ADD_RISK, CLOSE_RISK, EDIT, REOPEN_RISK, RISK_MORE, risk_line, risks_button
from commands.kit import actions, button, message, section
from commands.naming import find_account_here
from commands.slice import Button, Call, Command, Form, OpenForm, Ref, Reply, Slice, Whisper, answer_in_place
from commands.success import risk_lists
from commands.success.risk_forms import (
    CLOSE_FORM,
    EDIT_FORM,
    RISK_FORM,
    close_form,
    edit_form,
    read_outcome,
    read_risk_form,
    risk_form,
)
from commands.success.taking_back import find_values_before
from commands.typed import get_person, get_today, split_mentions, writes_if_typed
from rules.errors import StaleError
from rules.people.roles import Permission
from rules.success.risks import (
    ChangeRisk,
    RiskDraft,
    RiskIntent,
    RiskState,
    decide_add_risk,
    decide_close_risk,
    decide_edit_risk,
    decide_reopen_risk,
)
from storage.accounts.accounts import AccountRow, get_account
from storage.db import Tx
from storage.people.members import get_members
from storage.success.risk_writes import apply_risks
from storage.success.risks import RiskRow, get_risk, to_risk

UNDO = "risks.undo"
_UNDOABLE = frozenset({"added", "changed", "closed", "reopened"})


def add(call: Call, tx: Tx) -> list[Reply]:
    """`/cs risk ACCOUNT text [@owner]`; without an account or a text the form opens."""
    account, words = find_account_here(call, tx, call.text)
    if account is None:
        call.require(Permission.ACCOUNT_WRITE)
        return [OpenForm(risk_form(call, None))]
    require_on(call, tx, Permission.ACCOUNT_WRITE, account)
    slack_id, _channel, text = split_mentions(words)
    if not text:
        return [OpenForm(risk_form(call, account))]
    owner_id = get_person(tx, slack_id).id if slack_id else call.person.id
    intents = decide_add_risk(RiskDraft(account.id, text, owner_id=owner_id), get_today(call, tx))
    return [_do(call, tx, account, intents, "added")]


def open_form(call: Call, tx: Tx) -> list[Reply]:
    """The button: the form for its account, or for one to choose."""
    if call.ref is None or not call.ref.id:
        call.require(Permission.ACCOUNT_WRITE)
        return [OpenForm(risk_form(call, None))]
    account = get_account(tx, call.ref.id)
    require_on(call, tx, Permission.ACCOUNT_WRITE, account)
    return [OpenForm(risk_form(call, account))]


def submit_risk(call: Call, tx: Tx) -> list[Reply]:
    """A new risk, or the field at fault."""
    account = get_account(tx, call.value("account") or (call.ref.id if call.ref else ""))
    require_on(call, tx, Permission.ACCOUNT_WRITE, account)
    intents = decide_add_risk(read_risk_form(call, tx, account.id), get_today(call, tx))
    return [_do(call, tx, account, intents, "added")]


def open_close(call: Call, tx: Tx) -> list[Reply]:
    """The form that asks how it ended."""
    row, account = _get_open(call, tx)
    return [OpenForm(close_form(call.reader, account, row))]


def open_edit(call: Call, tx: Tx) -> list[Reply]:
    """The menu behind a risk: its form."""
    row, account = _get_open(call, tx)
    if call.ref is None or call.ref.extra.get("do") != EDIT:
        raise StaleError("This menu is from an older version. See `/cs risks`.")
    owner = get_members(tx, [row.owner_id or ""]).get(row.owner_id or "")
    return [OpenForm(edit_form(call.reader, account, row, owner.slack_id if owner else ""))]


def submit_edit(call: Call, tx: Tx) -> list[Reply]:
    """Another text, plan or owner."""
    row, account = _get_open(call, tx)
    draft = read_risk_form(call, tx, account.id)
    intents = decide_edit_risk(_as_seen(call, row), draft.text, draft.plan, draft.owner_id)
    if not intents:
        return [Whisper(message(call.reader.say("Nothing was changed.")))]
    return [_do(call, tx, account, intents, "changed")]


def submit_close(call: Call, tx: Tx) -> list[Reply]:
    """Closed, with how it ended."""
    row, account = _get_open(call, tx)
    outcome, note = read_outcome(call)
    intents = decide_close_risk(_as_seen(call, row), outcome, note, call.person.id, get_today(call, tx))
    return [_do(call, tx, account, intents, "closed")]


def reopen(call: Call, tx: Tx) -> list[Reply]:
    """Open again; the outcome is forgotten."""
    row, account = _get_allowed(call, tx)
    intents = decide_reopen_risk(to_risk(row))
    if not intents:
        raise StaleError("Nothing was changed: this risk is open already. See `/cs risks`.")
    return [_do(call, tx, account, intents, "reopened")]


def undo(call: Call, tx: Tx) -> list[Reply]:
    """Takes the last change back, within the time and by whom `rules.undo` allows."""
    call.require(Permission.ACCOUNT_WRITE)
    row = get_risk(tx, call.ref.id if call.ref else "")
    account = get_account(tx, row.account_id)
    verb = call.ref.extra.get("verb", "") if call.ref else ""
    if verb not in _UNDOABLE:
        raise StaleError("This button is from an older version and no longer works.")
    before = find_values_before(call, tx, row, f"risk.{verb}")
    (changed,) = apply_risks(tx, [ChangeRisk(row.id, row.version, "undone", before)], call.person.actor, call.now)
    said = call.reader.say("Undone: {risk}", risk=_line(call, tx, changed, account))
    return [answer_in_place(call, message(said))]


# ---------------------------------------------------------------- acting


def _get_allowed(call: Call, tx: Tx) -> tuple[RiskRow, AccountRow]:
    """The risk of the call and its account, where the person may act on it: it is theirs, or the account is."""
    call.require(Permission.READ)
    row = get_risk(tx, call.ref.id if call.ref else "")
    account = get_account(tx, row.account_id)
    if row.owner_id == call.person.id:
        call.require(Permission.ACCOUNT_WRITE)
    else:
        require_on(call, tx, Permission.ACCOUNT_WRITE, account)
    if row.removed_at is not None:
        raise StaleError("Nothing was changed: this risk was taken back. See `/cs risks` for the others.")
    return row, account


def _get_open(call: Call, tx: Tx) -> tuple[RiskRow, AccountRow]:
    """The same, where the risk is open. Raises `StaleError`, with who was first, where it is closed."""
    row, account = _get_allowed(call, tx)
    if row.closed_on is not None:
        member = get_members(tx, [row.closed_by or ""]).get(row.closed_by or "")
        who = (member.name if member else "") or call.reader.say("a colleague")
        raise StaleError("Nothing was changed: {who} has already closed this risk, {day}.", who=who, day=row.closed_on)
    return row, account


def _as_seen(call: Call, row: RiskRow) -> RiskState:
    """The risk with the version that the form was opened at."""
    version = call.ref.extra.get("version", "") if call.ref else ""
    return replace(to_risk(row), version=int(version) if version.isdecimal() else row.version)


def _do(call: Call, tx: Tx, account: AccountRow, intents: Sequence[RiskIntent], verb: str) -> Reply:
    (row,) = apply_risks(tx, intents, call.person.actor, call.now)
    reader, line = call.reader, _line(call, tx, row, account)
    text = {
        "added": reader.say("Risk saved: {risk}", risk=line),
        "changed": reader.say("Risk changed: {risk}", risk=line),
        "closed": reader.say("Risk closed: {risk}", risk=line),
        "reopened": reader.say("Risk open again: {risk}", risk=line),
    }[verb]
    back = button(reader.say("Undo"), UNDO, Ref("risk", row.id, {"verb": verb}))
    return Whisper(message(text, section(text), actions(back, risks_button(reader, account.id))))


def _line(call: Call, tx: Tx, row: RiskRow, account: AccountRow) -> str:
    people = get_members(tx, [row.owner_id] if row.owner_id else [])
    return risk_line(call.reader, row, account, people)


SLICE = Slice(
    "risks",
    commands=(
        Command(
            "risk",
            "ACCOUNT TEXT [@owner]",
            "Write down a risk, with a plan and an owner",
            add,
            writes_if_typed,
            ("risk acme the sponsor may leave", "risk"),
        ),
        Command(
            "risks",
            "[mine | all | closed | ACCOUNT]",
            "See the open risks, change their plans, close them",
            risk_lists.show_list,
            "reads",
            ("risks", "risks acme", "risks closed"),
        ),
    ),
    buttons=(
        Button(ADD_RISK, open_form, "reads"),
        Button(CLOSE_RISK, open_close, "reads"),
        Button(RISK_MORE, open_edit, "reads"),
        Button(REOPEN_RISK, reopen, "writes"),
        Button(UNDO, undo, "writes"),
        *risk_lists.BUTTONS,
    ),
    forms=(Form(RISK_FORM, submit_risk), Form(EDIT_FORM, submit_edit), Form(CLOSE_FORM, submit_close)),
)
