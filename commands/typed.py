"""What people type into commands and forms, read into values. Owns mentions, and turning what `words` cannot read
into a `UserError` that names the form field; refuses to know any subject.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from commands.slice import Access, Call
from rules.errors import UserError
from rules.people.roles import Permission, may
from rules.records import Role
from storage.db import Tx
from storage.people.members import MemberRow, add_by_slack_id, find_by_slack_id
from storage.people.workspaces import get_workspace
from words.countries import parse_country
from words.currencies import find_currency
from words.dates import parse_date
from words.day_phrases import Prefer
from words.errors import WordsError
from words.money import Amount, parse_money
from words.numbers import Quantity, parse_quantity
from words.numerals import has_numeral

_T = TypeVar("_T")
_PERSON = re.compile(r"<@(?P<id>[UW][A-Z0-9]+)(?:\|[^>]*)?>")
_CHANNEL = re.compile(r"<#(?P<id>[CG][A-Z0-9]+)(?:\|[^>]*)?>")
_CHANNEL_ID = re.compile(r"[CG][A-Z0-9]+")
_QUOTED = re.compile(r"\s*[\"“「](?P<name>[^\"”」]+)[\"”」]")
_MOST_DATE_WORDS = 4
_LETTERS = re.compile(r"[A-Za-z]{4,}")
_OPENERS = '"“「('


def writes_if_typed(text: str) -> Access:
    """The access of a command that opens its form where nothing is typed after it."""
    return "writes" if text.strip() else "reads"


def writes_if_number(text: str) -> Access:
    """The access of a command that stores numbers: without one it lists, or opens its form. The digits of a name such
    as Client2024 are no number.
    """
    return "writes" if any(has_numeral(word) and not _is_name(word) for word in text.split()) else "reads"


def _is_name(word: str) -> bool:
    """Whether a word begins with more letters than stand before any amount, a currency's aside."""
    letters = _LETTERS.match(word.lstrip(_OPENERS))
    return letters is not None and find_currency(letters[0]) is None


def get_today(call: Call, tx: Tx) -> date:
    """The workspace's day: what "today" means to everybody in it."""
    return call.now.astimezone(ZoneInfo(get_workspace(tx).zone)).date()


def read_quantity(text: str, *, field: str | None = None, home: str = "") -> Quantity:
    """A number with its unit; `home` is the currency that a bare "$" or "¥" means. Raises `UserError`."""
    return _read(lambda: parse_quantity(text, home), field)


def read_money(text: str, home: str, *, field: str) -> Amount:
    """An amount; `home` is the currency of one without a sign. Raises `UserError`."""
    return _read(lambda: parse_money(text, home), field)


def read_date(text: str, today: date, *, prefer: Prefer = "nearest", field: str | None = None) -> date:
    """A day. Raises `UserError`."""
    return _read(lambda: parse_date(text, today, prefer=prefer), field)


def read_country(text: str, *, field: str | None = None) -> str:
    """A country's ISO code, from the code or the name. Raises `UserError`."""
    return _read(lambda: parse_country(text), field)


def read_count(text: str, *, field: str | None = None) -> int:
    """A whole number without a unit, such as seats. Raises `UserError`."""
    quantity = read_quantity(text, field=field)
    if quantity.unit or quantity.value != int(quantity.value):
        raise UserError("“{text}” is not a whole number. Type it like 60.", field=field, text=text)
    return int(quantity.value)


def split_date(text: str, today: date, *, prefer: Prefer) -> tuple[date | None, str]:
    """The day that `text` begins with, in at most four words, and the rest; (None, text) where it begins with none."""
    ends = [word.end() for word in re.finditer(r"\S+", text)][:_MOST_DATE_WORDS]
    for end in reversed(ends):
        try:
            return parse_date(text[:end], today, prefer=prefer), text[end:].strip()
        except WordsError:
            continue
    return None, text


def find_quantity(text: str, home: str) -> Quantity | None:
    """As `read_quantity`, but None where the whole of `text` is no number."""
    try:
        return parse_quantity(text, home)
    except WordsError:
        return None


def split_quoted(text: str) -> tuple[str, str]:
    """The quoted name that `text` begins with ("" for none), and the rest."""
    quoted = _QUOTED.match(text)
    return (quoted["name"], text[quoted.end() :]) if quoted else ("", text)


def split_mentions(text: str) -> tuple[str, str, str]:
    """The first person's and the first channel's Slack id in `text` ("" for none), and the text without them."""
    person, channel = _PERSON.search(text), _CHANNEL.search(text)
    rest = " ".join(_CHANNEL.sub(" ", _PERSON.sub(" ", text)).split())
    return person["id"] if person else "", channel["id"] if channel else "", rest


def is_channel_id(text: str) -> bool:
    """Whether a form gave a channel's id; that of a direct message begins with D."""
    return bool(_CHANNEL_ID.fullmatch(text))


def get_person(tx: Tx, slack_id: str, *, field: str = "owner") -> MemberRow:
    """The member of a mention, made with the workspace's defaults where Slack has not told about them yet. Raises
    `UserError` at `field` for a bot and for somebody who left.
    """
    found = find_by_slack_id(tx, slack_id)
    if found is None:
        workspace = get_workspace(tx)
        found = add_by_slack_id(tx, slack_id, role=Role.CSM, zone=workspace.zone, locale=workspace.locale)
    if found.is_bot or not found.is_active:
        raise UserError("That person cannot own anything here. Choose somebody who works with you.", field=field)
    return found


def get_worker(tx: Tx, slack_id: str, *, field: str = "owner") -> MemberRow:
    """As `get_person`, of somebody who can look after accounts. Raises `UserError` at `field` for a viewer, too."""
    found = get_person(tx, slack_id, field=field)
    if not may(found.role, Permission.ACCOUNT_WRITE):
        raise UserError(
            "{name} is a viewer and cannot work on accounts. Choose somebody else, or a lead gives them another role.",
            field=field,
            name=found.name or "That person",
        )
    return found


def _read(read: Callable[[], _T], field: str | None) -> _T:
    try:
        return read()
    except WordsError as error:
        values: dict[str, Any] = dict(error.values)
        raise UserError(error.sentence, field=field, **values) from error


def find_person_id(tx: Tx, slack_id: str) -> str:
    """The member's id, to list what is theirs; Slack's id, which owns nothing, where nobody here has it."""
    found = find_by_slack_id(tx, slack_id)
    return found.id if found else slack_id
