"""The CSM's own call on a renewal: its button, form and undo. Owns giving it; refuses to compute one
(`rules.renewals.verdicts`) and to record how it ended (`commands.renewals.outcomes`).
"""

from __future__ import annotations

from commands.access import require_on
from commands.blocks.accounts import shown_name
from commands.blocks.renewals import VERDICT, decision_words, outcome_button, two_keys, verdict_words
from commands.kit import actions, button, form_field, menu, message, section, text_input
from commands.renewals.renewal_views import get_pressed, require_open, require_seen, to_open
from commands.slice import Button, Call, Form, FormView, Message, OpenForm, Ref, Reply, Whisper, answer_in_place
from commands.typed import get_today
from rules.errors import UserError
from rules.people.roles import Permission
from rules.records import RenewalVerdict
from rules.renewals.outcomes import NOTE_LENGTH, decide_verdict
from rules.undo import Done, check_undo
from storage.accounts.accounts import AccountRow, get_account
from storage.audit import find_change
from storage.db import Tx
from storage.renewals.keeping import ensure_renewal
from storage.renewals.readiness import list_prospects
from storage.renewals.reminders import redraw
from storage.renewals.renewal_writes import apply_verdicts, find_judgement, take_back_verdict
from storage.renewals.renewals import RenewalRow, get_renewal

VERDICT_FORM, UNDO_VERDICT = "renewals.verdict_form", "renewals.undo_verdict"


def open_verdict(call: Call, tx: Tx) -> list[Reply]:
    """The button: the form, with the verdict that stands."""
    row, account = get_pressed(call, tx)
    require_on(call, tx, Permission.ACCOUNT_WRITE, account)
    require_open(call, tx, row)
    reader = call.reader
    choices = [(each.value, verdict_words(reader, each)) for each in RenewalVerdict]
    chosen = menu("value", reader.say("Choose"), choices, initial=row.verdict.value if row.verdict else "")
    note = text_input(is_long=True, max_length=NOTE_LENGTH, initial=row.verdict_note)
    computed = list_prospects(tx, [row], get_today(call, tx))[row.id].computed
    head = f"*{shown_name(account)}* · {decision_words(reader, row)}\n{two_keys(reader, row.verdict, computed)}"
    fields = (
        section(head),
        form_field("verdict", reader.say("How will it end?"), chosen),
        form_field("note", reader.say("Why do you think so?"), note, is_optional=True),
    )
    ref = Ref("contract", row.contract_id, {"end": row.ends_on.isoformat(), "version": str(row.version)})
    return [OpenForm(FormView(VERDICT_FORM, reader.say("Your verdict"), fields, reader.say("Save"), ref))]


def submit_verdict(call: Call, tx: Tx) -> list[Reply]:
    """The form: the verdict stored, and what the figures say beside it."""
    shown, account = get_pressed(call, tx)
    require_on(call, tx, Permission.ACCOUNT_WRITE, account)
    require_seen(call, tx, shown)
    chosen = call.value("verdict")
    if chosen not in set(RenewalVerdict):
        raise UserError("Choose how it will end.", field="verdict")
    today, actor = get_today(call, tx), call.person.actor
    row = ensure_renewal(tx, shown.contract_id, shown.ends_on, today, actor, call.now)
    verdict = RenewalVerdict(chosen)
    intents = decide_verdict(to_open(tx, row, row.version), verdict, call.value("note"), call.person.id, today)
    (row,) = apply_verdicts(tx, intents, actor, call.now)
    redraw(tx, row, today, call.now)
    return [Whisper(_given_message(call, tx, row, account))]


def undo_verdict(call: Call, tx: Tx) -> list[Reply]:
    """Takes a verdict back, within the time and by whom `rules.undo` allows."""
    call.require(Permission.ACCOUNT_WRITE)
    row = get_renewal(tx, call.ref.id if call.ref else "")
    account = get_account(tx, row.account_id)
    require_on(call, tx, Permission.READ, account)
    given, undone = find_judgement(tx, row), find_change(tx, "renewal.verdict_undone", row.id)
    if given is None:
        raise UserError("There is no verdict to take back.")
    is_undone = undone is not None and undone.at >= given.at
    is_needed = str(row.version) != (call.ref.extra.get("version", "") if call.ref else "")
    done = Done(given.at, given.actor_id, is_undone=is_undone, is_needed=is_needed)
    check_undo(done, call.person.id, call.person.role, call.now)
    take_back_verdict(tx, row, call.person.actor, call.now)
    redraw(tx, row, get_today(call, tx), call.now)
    said = call.reader.say("Undone: the verdict on {account}.", account=shown_name(account))
    return [answer_in_place(call, message(said))]


def _given_message(call: Call, tx: Tx, row: RenewalRow, account: AccountRow) -> Message:
    reader = call.reader
    computed = list_prospects(tx, [row], get_today(call, tx))[row.id].computed
    said = reader.say("Saved for {account}.", account=f"*{shown_name(account)}*")
    text = f"{said} {two_keys(reader, row.verdict, computed)}"
    taken_back = button(reader.say("Undo"), UNDO_VERDICT, Ref("renewal", row.id, {"version": str(row.version)}))
    return message(text, section(text), actions(outcome_button(reader, row), taken_back))


BUTTONS = (Button(VERDICT, open_verdict, "reads"), Button(UNDO_VERDICT, undo_verdict, "writes"))
FORM = Form(VERDICT_FORM, submit_verdict)
