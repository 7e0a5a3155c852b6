"""The forms of risks: new, plan and owner, closing with the outcome. Owns their fields; stores nothing."""

from __future__ import annotations

from dataclasses import dataclass

from commands.blocks.accounts import shown_name
from commands.blocks.checkins import outcome_words, short
from commands.kit import Json, form_field, menu, person_menu, section, text_input
from commands.naming import account_field
from commands.slice import Call, FormView, Ref
from commands.typed import get_person
from rules.errors import UserError
from rules.success.risks import NOTE_LENGTH, PLAN_LENGTH, TEXT_LENGTH, RiskDraft, RiskOutcome
from storage.accounts.accounts import AccountRow
from storage.db import Tx
from storage.success.risks import RiskRow
from words.reader import Reader

RISK_FORM = "risks.risk"
EDIT_FORM = "risks.edit"
CLOSE_FORM = "risks.close_form"


@dataclass(frozen=True)
class _Shown:
    """What the fields show before anybody types. `owner` is a Slack id."""

    text: str = ""
    plan: str = ""
    owner: str = ""


def risk_form(call: Call, account: AccountRow | None) -> FormView:
    """A new risk of an account, or of one chosen in the form."""
    reader = call.reader
    fields = (account_field(reader, account), *_fields(reader, _Shown(owner=call.person.slack_id)))
    ref = Ref("account", account.id if account else "")
    return FormView(RISK_FORM, reader.say("Risk"), fields, reader.say("Save"), ref)


def edit_form(reader: Reader, account: AccountRow, row: RiskRow, owner_slack_id: str) -> FormView:
    """A risk as it stands; its version travels with the form."""
    fields = (section(f"*{shown_name(account)}*"), *_fields(reader, _Shown(row.text, row.plan, owner_slack_id)))
    ref = Ref("risk", row.id, {"version": str(row.version)})
    return FormView(EDIT_FORM, reader.say("Risk"), fields, reader.say("Save"), ref)


def close_form(reader: Reader, account: AccountRow, row: RiskRow) -> FormView:
    """How it ended."""
    choices = [(each.value, outcome_words(reader, each)) for each in RiskOutcome]
    fields = (
        section(f"*{shown_name(account)}* · {short(row.text)}"),
        form_field("outcome", reader.say("How did it end?"), menu("value", reader.say("Choose"), choices)),
        form_field("note", reader.say("Note"), text_input(is_long=True, max_length=NOTE_LENGTH), is_optional=True),
    )
    ref = Ref("risk", row.id, {"version": str(row.version)})
    return FormView(CLOSE_FORM, reader.say("Close risk"), fields, reader.say("Close risk"), ref)


def read_risk_form(call: Call, tx: Tx, account_id: str) -> RiskDraft:
    """The submitted form. Raises `UserError` with the field at fault."""
    slack_id = call.value("owner")
    owner_id = get_person(tx, slack_id).id if slack_id else None
    return RiskDraft(account_id, call.value("risk"), call.value("plan"), owner_id)


def read_outcome(call: Call) -> tuple[RiskOutcome, str]:
    """How it ended, and the note. Raises `UserError` where nothing was chosen."""
    chosen = call.value("outcome")
    if chosen not in set(RiskOutcome):
        raise UserError("Choose how it ended.", field="outcome")
    return RiskOutcome(chosen), call.value("note")


def _fields(reader: Reader, shown: _Shown) -> tuple[Json, ...]:
    plan = text_input(initial=shown.plan, is_long=True, max_length=PLAN_LENGTH)
    person = person_menu(reader.say("Choose a person"), initial=shown.owner)
    text = text_input(initial=shown.text, max_length=TEXT_LENGTH)
    return (
        form_field("risk", reader.say("What may go wrong?"), text),
        form_field("plan", reader.say("What we do about it"), plan, is_optional=True),
        form_field("owner", reader.say("Who looks after it"), person, is_optional=True),
    )
