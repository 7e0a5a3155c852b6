"""Contacts as typed after `/cs contact` and as a form. Owns reading both into a `ContactDraft`; stores nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date

from commands.blocks.contacts import role_words
from commands.kit import Json, date_picker, form_field, menu, text_input
from commands.naming import account_field
from commands.slice import Call, FormView, OpenForm, Ref
from commands.typed import get_today, read_date
from rules.accounts.contacts import EMAIL_LENGTH, NAME_LENGTH, PHONE_LENGTH, ContactDraft
from rules.errors import UserError
from rules.records import ContactRole
from storage.accounts.accounts import AccountRow
from storage.db import Tx
from words.reader import Reader

CONTACT_FORM = "contacts.contact"
_ROLES = {
    "sponsor": ContactRole.SPONSOR,
    "champion": ContactRole.CHAMPION,
    "decision maker": ContactRole.DECISION_MAKER,
    "decision-maker": ContactRole.DECISION_MAKER,
    "user": ContactRole.USER,
    "technical": ContactRole.TECHNICAL,
    "billing": ContactRole.BILLING,
    "赞助人": ContactRole.SPONSOR,
    "支持者": ContactRole.CHAMPION,
    "决策人": ContactRole.DECISION_MAKER,
    "用户": ContactRole.USER,
    "技术": ContactRole.TECHNICAL,
    "财务": ContactRole.BILLING,
}
_COMMAS = re.compile(r"\s*[,;，；、]\s*")
# As typed, or as Slack rewrites an address it has seen: <mailto:jo@example.com|jo@example.com>.
_EMAIL = re.compile(r"<mailto:(?P<linked>[^|>]+)[^>]*>|(?P<plain>[^\s,;，；<>]+@[^\s,;，；<>]*)")
# What somebody does stands at the end, or alone between commas: a "Technical Lead" is no technical contact.
_ROLE = re.compile(rf"(?:^|[\s,;，；])(?P<role>{'|'.join(map(re.escape, _ROLES))})\s*(?=$|[,;，；])", re.IGNORECASE)


def read_contact(text: str) -> ContactDraft:
    """`Jo Doe, Head of Sales, Sales, jo@example.com sponsor`: name, title and team in this order, the e-mail address
    and what they are to us anywhere between commas or at the end.
    """
    email = _EMAIL.search(text)
    rest = text[: email.start()] + "," + text[email.end() :] if email else text
    found = [match for match in _ROLE.finditer(rest) if _ends_part(rest, match)]
    role = _ROLES[found[-1]["role"].lower()] if found else ContactRole.USER
    if found:
        rest = rest[: found[-1].start()] + "," + rest[found[-1].end() :]
    parts = [" ".join(part.split()) for part in _COMMAS.split(rest) if part.strip()]
    name, title = [*parts, "", ""][:2]
    address = (email["linked"] or email["plain"]) if email else ""
    return ContactDraft(name=name, title=title, team=", ".join(parts[2:]), email=address, role=role)


def read_contact_form(call: Call, tx: Tx) -> ContactDraft:
    """The submitted form. Raises `UserError` with the field at fault."""
    left, role = call.value("left_on"), call.value("contact_role")
    if role and role not in list(ContactRole):
        raise UserError("Choose what they are to us from the list.", field="contact_role")
    texts = {name: " ".join(call.value(name).split()) for name in ("name", "title", "team", "email", "phone")}
    return ContactDraft(
        role=ContactRole(role or ContactRole.USER),
        left_on=read_date(left, get_today(call, tx), prefer="past", field="left_on") if left else None,
        **texts,
    )


def open_contact_form(
    reader: Reader,
    account: AccountRow | None,
    draft: ContactDraft,
    contact_id: str = "",
    seen: Mapping[str, str] | None = None,
) -> OpenForm:
    """The form for a new contact of `account` (None: chosen in it), or with its id for one that exists."""
    fields = (account_field(reader, account), *_text_fields(reader, draft), *_menu_fields(reader, draft))
    title = reader.say("Edit contact") if contact_id else reader.say("Add a contact")
    of_account = Ref("account", account.id if account else "")
    ref = Ref("contact", contact_id, seen or {}) if contact_id else of_account
    return OpenForm(FormView(CONTACT_FORM, title, fields, reader.say("Save"), ref))


def mark_left(draft: ContactDraft, today: date) -> ContactDraft:
    """The same person, gone since today unless a day is known."""
    return ContactDraft(**{**vars(draft), "left_on": draft.left_on or today})


def _ends_part(text: str, match: re.Match[str]) -> bool:
    """Whether the role is a part of its own, or the last word of all."""
    before, after = text[: match.start("role")].rstrip(), text[match.end() :].strip(" ,;，；")
    return not after or not before or before[-1] in ",;，；"


def _text_fields(reader: Reader, draft: ContactDraft) -> list[Json]:
    fields = (
        ("name", reader.say("Name"), draft.name, NAME_LENGTH),
        ("title", reader.say("Title"), draft.title, NAME_LENGTH),
        ("team", reader.say("Team"), draft.team, NAME_LENGTH),
        ("email", reader.say("E-mail"), draft.email, EMAIL_LENGTH),
        ("phone", reader.say("Phone"), draft.phone, PHONE_LENGTH),
    )
    return [
        form_field(name, label, text_input(initial=value, max_length=limit), is_optional=name != "name")
        for name, label, value, limit in fields
    ]


def _menu_fields(reader: Reader, draft: ContactDraft) -> list[Json]:
    roles = [(role.value, role_words(reader, role)) for role in ContactRole]
    hint = reader.say("Only when they are no longer there. A sponsor who left is shown on the account.")
    return [
        form_field(
            "contact_role", reader.say("What they are to us"), menu("value", "…", roles, initial=draft.role.value)
        ),
        form_field("left_on", reader.say("Left on"), date_picker(initial=draft.left_on), hint=hint, is_optional=True),
    ]
