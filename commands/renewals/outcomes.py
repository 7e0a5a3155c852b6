"""How a renewal ended: its button, form and undo. Owns recording it; refuses what follows from it
(`rules.renewals.outcomes`).
"""

from __future__ import annotations

from datetime import date

from commands.access import require_on
from commands.blocks.accounts import shown_name
from commands.blocks.renewals import (
    OUTCOME,
    amount_words,
    change_words,
    decision_words,
    outcome_words,
    reason_words,
    renewal_button,
)
from commands.kit import Json, actions, button, date_picker, form_field, menu, message, section, text_input
from commands.renewals.renewal_views import get_pressed, require_open, require_seen, to_open
from commands.slice import Button, Call, Form, FormView, Message, OpenForm, Ref, Reply, Whisper, answer_in_place
from commands.typed import get_today, read_date, read_money
from rules.alerts.renewal_signals import make_object
from rules.errors import UserError
from rules.people.roles import Permission
from rules.records import RenewalOutcome
from rules.renewals.outcomes import (
    DECIDED,
    NOTE_LENGTH,
    Around,
    Figures,
    OutcomeDraft,
    Reason,
    decide_outcome,
    plan_next_end,
    rank_reasons,
)
from rules.undo import Done, check_undo
from storage.accounts.accounts import AccountRow, get_account
from storage.alerts.alerts import enqueue_refresh
from storage.alerts.settling import settle_alerts
from storage.db import Tx
from storage.renewals.contracts import get_contract, has_next_contract, to_facts
from storage.renewals.figures import find_figures
from storage.renewals.keeping import ensure_renewal, keep_renewals
from storage.renewals.leaving import settle_leaving
from storage.renewals.renewal_writes import apply_outcome, find_decision, is_outcome_needed, take_back_outcome
from storage.renewals.renewals import RenewalRow, find_of_contract, get_renewal
from words.reader import Reader

OUTCOME_FORM, UNDO_OUTCOME = "renewals.outcome_form", "renewals.undo_outcome"
_AMOUNT_LENGTH = 40


def open_outcome(call: Call, tx: Tx) -> list[Reply]:
    """The button: the form, with the reasons first that the figures of today bear out."""
    row, account = get_pressed(call, tx)
    require_on(call, tx, Permission.ACCOUNT_WRITE, account)
    require_open(call, tx, row)
    reader, figures = call.reader, find_figures(tx, row, get_today(call, tx))
    facts = (decision_words(reader, row), amount_words(reader, row.yearly_minor, row.currency))
    head = " · ".join([f"*{shown_name(account)}*", *filter(None, facts)])
    fields = (section(head), *_deal_fields(call, tx, row), *_reason_fields(reader, figures))
    ref = Ref("contract", row.contract_id, {"end": row.ends_on.isoformat(), "version": str(row.version)})
    return [OpenForm(FormView(OUTCOME_FORM, reader.say("How did it end?"), fields, reader.say("Save"), ref))]


def submit_outcome(call: Call, tx: Tx) -> list[Reply]:
    """The form: the outcome stored with all that follows, or the field at fault named."""
    shown, account = get_pressed(call, tx)
    require_on(call, tx, Permission.ACCOUNT_WRITE, account)
    require_seen(call, tx, shown)
    today, actor = get_today(call, tx), call.person.actor
    row = ensure_renewal(tx, shown.contract_id, shown.ends_on, today, actor, call.now)
    draft = _read_form(call, tx, row)
    _require_free(tx, row, draft)
    around = Around(find_figures(tx, row, today), has_next_contract(tx, row.contract_id))
    intents = decide_outcome(to_open(tx, row, row.version), draft, call.person.id, today, around)
    row = apply_outcome(tx, intents, actor, call.now)
    settle_leaving(tx, [account.id], today, actor, call.now)
    keep_renewals(tx, [account.id], today, actor, call.now)
    settle_alerts(tx, account.id, make_object(row.contract_id), actor, call.now)
    enqueue_refresh(tx, account.id, call.now)
    return [Whisper(_recorded_message(call, row, account, today))]


def undo_outcome(call: Call, tx: Tx) -> list[Reply]:
    """Takes an outcome back with all that followed, within the time and by whom `rules.undo` allows."""
    call.require(Permission.ACCOUNT_WRITE)
    row = get_renewal(tx, call.ref.id if call.ref else "")
    account = get_account(tx, row.account_id)
    require_on(call, tx, Permission.READ, account)
    decided = find_decision(tx, row)
    if decided is None:
        raise UserError("There is no outcome to take back.")
    is_undone = row.outcome is RenewalOutcome.OPEN
    is_changed = str(row.version) != (call.ref.extra.get("version", "") if call.ref else "")
    is_needed = not is_undone and (is_changed or is_outcome_needed(tx, row))
    done = Done(decided.at, decided.actor_id, is_undone=is_undone, is_needed=is_needed)
    check_undo(done, call.person.id, call.person.role, call.now)
    take_back_outcome(tx, row, call.person.actor, call.now)
    keep_renewals(tx, [account.id], get_today(call, tx), call.person.actor, call.now)
    enqueue_refresh(tx, account.id, call.now)
    said = call.reader.say("Undone: the renewal of {account} is open again.", account=shown_name(account))
    return [answer_in_place(call, message(said))]


# ---------------------------------------------------------------- the form


def _deal_fields(call: Call, tx: Tx, row: RenewalRow) -> tuple[Json, ...]:
    reader, contract = call.reader, to_facts(get_contract(tx, row.contract_id))
    outcomes = [(each.value, outcome_words(reader, each)) for each in DECIDED]
    before = amount_words(reader, row.yearly_minor, row.currency)
    return (
        form_field("outcome", reader.say("Outcome"), menu("value", reader.say("Choose"), outcomes)),
        form_field(
            "amount",
            reader.say("What they pay a year from now on"),
            text_input(placeholder=before or "€84k", max_length=_AMOUNT_LENGTH),
            hint=reader.say("Empty: the same as before. Not needed when they leave."),
            is_optional=True,
        ),
        form_field(
            "new_end_on",
            reader.say("New end"),
            date_picker(initial=plan_next_end(contract.term, row.ends_on) if not contract.term.runs_on else None),
            hint=reader.say("Empty: as long again, or on as it runs. If they leave before the end: the day they do."),
            is_optional=True,
        ),
    )


def _reason_fields(reader: Reader, figures: Figures) -> tuple[Json, ...]:
    reasons = [(each.value, reason_words(reader, each, figures)) for each in rank_reasons(figures)]
    note = text_input(is_long=True, max_length=NOTE_LENGTH)
    return (
        form_field(
            "reason",
            reader.say("Why they leave or pay less"),
            menu("value", reader.say("Choose"), reasons),
            hint=reader.say("Needed for churned and contracted. The figures of today are kept with it."),
            is_optional=True,
        ),
        form_field("note", reader.say("In their words"), note, is_optional=True),
    )


def _read_form(call: Call, tx: Tx, row: RenewalRow) -> OutcomeDraft:
    """Raises `UserError` with the field at fault."""
    chosen, reason, end = call.value("outcome"), call.value("reason"), call.value("new_end_on")
    if chosen not in set(DECIDED):
        raise UserError("Choose how it ended.", field="outcome")
    if reason and reason not in set(Reason):
        raise UserError("Choose a reason from the list.", field="reason")
    typed = call.value("amount")
    amount = read_money(typed, row.currency, field="amount") if typed else None
    new_end = read_date(end, get_today(call, tx), prefer="future", field="new_end_on") if end else None
    contract = to_facts(get_contract(tx, row.contract_id))
    planned = plan_next_end(contract.term, row.ends_on)
    return OutcomeDraft(
        RenewalOutcome(chosen),
        amount.currency if amount else row.currency,
        amount.minor if amount else None,
        None if new_end == planned else new_end,
        Reason(reason) if reason else None,
        call.value("note"),
    )


def _require_free(tx: Tx, row: RenewalRow, draft: OutcomeDraft) -> None:
    """A contract's ends are told apart by their day: whoever leaves early cannot do so on an end that was dropped."""
    day = draft.new_end_on
    if draft.outcome is not RenewalOutcome.CHURNED or day is None or day == row.ends_on:
        return
    if find_of_contract(tx, row.contract_id, day) is not None:
        sentence = "This contract was once to end on that day. Type the day before or after."
        raise UserError(sentence, field="new_end_on")


def _recorded_message(call: Call, row: RenewalRow, account: AccountRow, today: date) -> Message:
    reader = call.reader
    what = " · ".join(part for part in (outcome_words(reader, row.outcome), change_words(reader, row)) if part)
    said = reader.say("Recorded for {account}: {what}.", account=f"*{shown_name(account)}*", what=what)
    if row.new_end_on is not None:
        said += " " + reader.say("The next contract ends on {day}.", day=reader.date(row.new_end_on))
    if row.outcome is RenewalOutcome.CHURNED and row.ends_on >= today:
        day = reader.date(row.ends_on)
        said += " " + reader.say("They leave on {day} and are looked after as before until then.", day=day)
    taken_back = button(reader.say("Undo"), UNDO_OUTCOME, Ref("renewal", row.id, {"version": str(row.version)}))
    return message(said, section(said), actions(renewal_button(reader, account.id), taken_back))


BUTTONS = (Button(OUTCOME, open_outcome, "reads"), Button(UNDO_OUTCOME, undo_outcome, "writes"))
FORM = Form(OUTCOME_FORM, submit_outcome)
