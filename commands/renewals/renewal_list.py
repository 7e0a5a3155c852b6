"""Lists of renewals by decision date: `/cs renewals`. Owns filter words, pages and totals; changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from commands.blocks.renewals import CONTRACTS_ADD, renewal_button, renewal_line
from commands.kit import Element, Json, actions, button, context, message, section
from commands.pages import Page, wanted_page
from commands.slice import Call, Message, Ref, Reply, Whisper, answer_in_place
from commands.typed import find_person_id, get_today, split_mentions
from rules.errors import UserError
from rules.people.roles import Permission
from rules.renewals.verdicts import disagrees
from storage.db import Tx
from storage.renewals.readiness import list_prospects
from storage.renewals.renewals import list_coming, sum_coming
from words.money import Amount
from words.reader import Reader

BACK, NEXT = "renewals.back", "renewals.next"
LENGTH = 10
_DAYS = 90
_FURTHEST = 120
_LONGEST_FILTER = 100
_MINE = frozenset({"mine", "my", "me", "我的"})
_OVERDUE = frozenset({"overdue", "late", "open", "逾期"})
_FILLERS = frozenset({"all", "days", "day", "next", "全部"})


@dataclass(frozen=True)
class _Filter:
    """Decided until a day, of one owner or all. `is_overdue`: the decision date has passed."""

    until: date
    owner_id: str | None = None
    is_overdue: bool = False


def show_list(call: Call, tx: Tx) -> list[Reply]:
    """`/cs renewals [30 | 90 | mine | @person | overdue]`: the first page."""
    call.require(Permission.READ)
    return [Whisper(_page(call, tx, call.text, 1))]


def turn_page(call: Call, tx: Tx) -> list[Reply]:
    """The buttons under a list."""
    call.require(Permission.READ)
    extra = call.ref.extra if call.ref else {}
    return [answer_in_place(call, _page(call, tx, extra.get("text", ""), wanted_page(call)))]


def _page(call: Call, tx: Tx, text: str, wanted: int) -> Message:
    reader, today = call.reader, get_today(call, tx)
    chosen = _read_filter(call, tx, text, today)
    totals = sum_coming(tx, chosen.until, chosen.owner_id)
    total = sum(count for count, _minor in totals.values())
    title = f"*{_title(reader, chosen, total, today)}*"
    if not total:
        return message(title, section(title), context(_empty(reader, chosen)), actions(_add_button(reader)))
    page = Page(total, LENGTH, wanted)
    found = list_coming(tx, chosen.until, chosen.owner_id, limit=LENGTH, offset=page.offset)
    prospects = list_prospects(tx, [row for row, _account in found], today)
    lines: list[Json] = []
    for row, account in found:
        known = prospects[row.id]
        line = renewal_line(reader, row, account, known.readiness, known.health, today=today)
        if disagrees(row.verdict, known.computed):
            line += " · " + reader.say("the figures disagree")
        lines.append(section(line, accessory=renewal_button(reader, account.id)))
    sums = context(reader.say("In all: {amounts} a year", amounts=_sum_words(reader, totals)))
    turns = page.turns(reader, BACK, NEXT, Ref("renewals", "", {"text": text[:_LONGEST_FILTER]}))
    return message(title, section(title), *lines, sums, *turns)


def _read_filter(call: Call, tx: Tx, text: str, today: date) -> _Filter:
    """Raises `UserError` for a word that is no filter."""
    person, _channel, rest = split_mentions(text[:_LONGEST_FILTER])
    owner, days, is_overdue = find_person_id(tx, person) if person else None, _DAYS, False
    for word in rest.replace(",", " ").casefold().split():
        if word in _MINE:
            owner = call.person.id
        elif word in _OVERDUE:
            is_overdue = True
        elif word.isdecimal() and 0 < int(word) <= _FURTHEST:
            days = int(word)
        elif word not in _FILLERS:
            raise UserError(
                "I cannot list renewals by “{word}”. Use days up to {most}, mine, overdue or a person's @name. "
                "For one account: `/cs renewal` and its name.",
                word=word,
                most=_FURTHEST,
            )
    until = today - timedelta(days=1) if is_overdue else today + timedelta(days=days)
    return _Filter(until, owner, is_overdue)


def _title(reader: Reader, chosen: _Filter, total: int, today: date) -> str:
    if chosen.is_overdue:
        return reader.say_many(
            "{count} renewal whose decision date has passed", "{count} renewals whose decision date has passed", total
        )
    span = reader.span((chosen.until - today).days)
    return reader.say_many(
        "{count} renewal to decide within {span}", "{count} renewals to decide within {span}", total, span=span
    )


def _empty(reader: Reader, chosen: _Filter) -> str:
    if chosen.is_overdue:
        return reader.say("Every decision date that passed has an outcome.")
    return reader.say(
        "Milepost looks after every contract from {days} days before its decision date. Add contracts here or import "
        "a file of them; see one account with `/cs renewal` and its name.",
        days=_FURTHEST,
    )


def _add_button(reader: Reader) -> Element:
    return button(reader.say("Add a contract"), CONTRACTS_ADD, Ref("account", ""))


def _sum_words(reader: Reader, totals: dict[str, tuple[int, int]]) -> str:
    sums = [reader.money(Amount(minor, currency), is_compact=True) for currency, (_count, minor) in totals.items()]
    return " + ".join(sums)
