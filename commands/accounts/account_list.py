"""Lists of accounts, a page at a time: what `/cs list` says. Owns filter words and pages; changes nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from commands.blocks.accounts import account_line, find_next_renewal, owner_words, show_button
from commands.kit import Json, actions, button, message, section
from commands.pages import Page
from commands.slice import Call, Message, Ref
from commands.typed import find_person_id, split_mentions
from rules.errors import UserError
from rules.records import AccountState, Band, Tier
from storage.accounts.accounts import AccountRow
from storage.db import Tx
from storage.health.health import list_latest
from storage.health.portfolio import AccountFilter, count_accounts, list_accounts
from storage.people.members import get_members
from storage.renewals.contracts import list_contracts
from words.reader import Reader

PAGE_LENGTH = 10
ADD = "accounts.add"
PREVIOUS = "accounts.previous"
NEXT = "accounts.next"
_LONGEST_FILTER = 200
_BANDS = {band.value: band for band in Band} | {"红": Band.RED, "黄": Band.YELLOW, "绿": Band.GREEN}
_STATES = {state.value: state for state in AccountState}
_TIERS = {tier.value.lower(): tier for tier in Tier}
_MINE = frozenset({"mine", "my", "me", "我的"})
_FILLERS = frozenset({"all", "tier", "accounts", "and", "全部"})


def render_list(call: Call, tx: Tx, text: str, wanted: int, today: date) -> Message:
    """The `wanted`th (from 1) ten of the accounts that the filter words in `text` describe.

    Raises `UserError` for a word that is no filter.
    """
    reader, chosen = call.reader, read_filter(call, tx, text, today)
    total = count_accounts(tx, chosen=chosen)
    if not total:
        return _empty(reader, tx, is_filtered=bool(text.strip()))
    page = Page(total, PAGE_LENGTH, wanted)
    rows = list_accounts(tx, limit=PAGE_LENGTH, offset=page.offset, chosen=chosen)
    title = f"*{reader.say_many('{count} account', '{count} accounts', total)}*"
    turns = page.turns(reader, PREVIOUS, NEXT, Ref("list", "", {"text": text[:_LONGEST_FILTER]}))
    return message(title, section(title), *_lines(reader, tx, rows, today), *turns)


def read_filter(call: Call, tx: Tx, text: str, today: date) -> AccountFilter:
    """`mine`, a band, a state, a tier and a person's mention, together. Raises `UserError` for any other word."""
    person, _channel, rest = split_mentions(text[:_LONGEST_FILTER])
    chosen = AccountFilter(on=today, owner_id=find_person_id(tx, person) if person else None)
    for word in rest.replace(",", " ").lower().split():
        chosen = _narrow(chosen, word, call.person.id)
    return chosen


def _narrow(chosen: AccountFilter, word: str, own_id: str) -> AccountFilter:
    if word in _MINE:
        return replace(chosen, owner_id=own_id)
    if word in _BANDS:
        return replace(chosen, band=_BANDS[word])
    if word in _STATES:
        return replace(chosen, state=_STATES[word])
    if word in _TIERS:
        return replace(chosen, tier=_TIERS[word])
    if word in _FILLERS:
        return chosen
    raise UserError(
        "I cannot list accounts by “{word}”. Use mine, red, yellow, green, unknown, A to D, trial, customer, lost or "
        "a person's @name. To see one account: `/cs show` and its name.",
        word=word,
    )


def _lines(reader: Reader, tx: Tx, rows: list[AccountRow], today: date) -> list[Json]:
    ids = [row.id for row in rows]
    scores, contracts = list_latest(tx, ids, today), list_contracts(tx, ids)
    owners = get_members(tx, [row.owner_id for row in rows if row.owner_id])
    lines = []
    for row in rows:
        renewal = find_next_renewal(contracts.get(row.id, []), today)
        line = account_line(reader, row, scores.get(row.id), renewal, today)
        owner = owner_words(reader, owners.get(row.owner_id or ""))
        lines.append(section(f"{line} · {owner}", accessory=show_button(reader, row.id)))
    return lines


def _empty(reader: Reader, tx: Tx, *, is_filtered: bool) -> Message:
    if is_filtered and count_accounts(tx):
        return message(reader.say("No account is like that. `/cs list` shows all of them."))
    text = reader.say("There are no accounts yet. Import a file with `milepost import accounts FILE`, or add one here.")
    add = button(reader.say("Add an account"), ADD, Ref("account", ""), style="primary")
    return message(text, section(text), actions(add))
