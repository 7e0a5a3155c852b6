"""The form for a contract and reading it back. Owns its fields; refuses to store anything."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from commands.kit import Json, date_picker, form_field, menu, text_input
from commands.naming import account_field
from commands.slice import Call, FormView, OpenForm, Ref
from commands.typed import read_count, read_date, read_money
from rules.errors import UserError
from rules.renewals.contracts import ID_LENGTH, ContractDraft, fingerprint
from storage.accounts.accounts import AccountRow
from words.currencies import get_minor_digits
from words.reader import Reader

CONTRACT_FORM = "renewals.contract_form"
_SHORT = 40


def open_contract_form(call: Call, account: AccountRow | None, draft: ContractDraft | None, home: str) -> OpenForm:
    """The form for a new contract, or for one that exists; `home` is the workspace's currency."""
    reader = call.reader
    title = reader.say("Edit contract") if draft else reader.say("Add a contract")
    fields = (account_field(reader, account), *_date_fields(reader, draft), *_deal_fields(reader, draft, home))
    if draft is not None:
        ref = Ref("contract", draft.id, {"seen": fingerprint(draft)})
    else:
        ref = Ref("account", account.id if account else "")
        number = text_input(max_length=ID_LENGTH)
        hint = reader.say("So that an import finds it again.")
        fields = (
            *fields,
            form_field("number", reader.say("Id in your other systems"), number, hint=hint, is_optional=True),
        )
    return OpenForm(FormView(CONTRACT_FORM, title, fields, reader.say("Save"), ref))


def read_contract_form(
    call: Call, account_id: str, present: ContractDraft | None, home: str, today: date
) -> ContractDraft:
    """The submitted form. Raises `UserError` with the field at fault."""
    start = call.value("start_on")
    if not start:
        raise UserError("Choose when it starts.", field="start_on")
    seats, term = call.value("seats"), call.value("term")
    amount = read_money(call.value("amount"), present.currency if present else home, field="amount")
    return ContractDraft(
        account_id=account_id,
        start_on=read_date(start, today, field="start_on"),
        end_on=_read_day(call, "end_on", today),
        term_months=read_count(term, field="term") if term else 12,
        notice_by=_read_day(call, "notice_by", today),
        notice_received_on=_read_day(call, "notice_received_on", today),
        yearly_minor=amount.minor,
        currency=amount.currency,
        seats=read_count(seats, field="seats") if seats else None,
        is_auto_renew=call.value("auto_renew") == "yes",
        id=present.id if present else call.value("number"),
    )


def _date_fields(reader: Reader, draft: ContractDraft | None) -> tuple[Json, ...]:
    end = date_picker(initial=draft.end_on if draft else None)
    notice, received = draft.notice_by if draft else None, draft.notice_received_on if draft else None
    return (
        form_field("start_on", reader.say("Starts on"), date_picker(initial=draft.start_on if draft else None)),
        form_field(
            "end_on", reader.say("Ends on"), end, hint=reader.say("Empty: it runs on until notice."), is_optional=True
        ),
        form_field("notice_by", reader.say("Notice possible until"), date_picker(initial=notice), is_optional=True),
        form_field(
            "notice_received_on", reader.say("Notice received on"), date_picker(initial=received), is_optional=True
        ),
    )


def _deal_fields(reader: Reader, draft: ContractDraft | None, home: str) -> tuple[Json, ...]:
    yes_no = [("yes", reader.say("Yes, unless notice is given")), ("no", reader.say("No"))]
    auto = "yes" if draft and draft.is_auto_renew else "no"
    amount = text_input(initial=_plain(draft), placeholder="€84k" if home == "EUR" else home, max_length=_SHORT)
    seats = str(draft.seats) if draft and draft.seats is not None else ""
    term = text_input(initial=str(draft.term_months if draft else 12), max_length=_SHORT)
    return (
        form_field("amount", reader.say("Amount a year"), amount),
        form_field("seats", reader.say("Seats"), text_input(initial=seats, max_length=_SHORT), is_optional=True),
        form_field("auto_renew", reader.say("Renews by itself"), menu("value", "…", yes_no, initial=auto)),
        form_field("term", reader.say("By how many months at a time"), term, is_optional=True),
    )


def _plain(draft: ContractDraft | None) -> str:
    """The amount as `words.money` reads it back: "84000 EUR"."""
    if draft is None:
        return ""
    value = Decimal(draft.yearly_minor).scaleb(-get_minor_digits(draft.currency))
    return f"{value.normalize() if value else 0:f} {draft.currency}"


def _read_day(call: Call, name: str, today: date) -> date | None:
    text = call.value(name)
    return read_date(text, today, field=name) if text else None
