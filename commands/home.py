"""The Home tab: my day, my accounts, what is posted where and when my digest comes. Owns the page and turning its list
of accounts; each line is drawn by its subject.
"""

from __future__ import annotations

from datetime import date

from commands.accounts.account_list import ADD
from commands.blocks.accounts import account_line, find_next_renewal, owner_words, show_button
from commands.blocks.health import BAND_MARKS
from commands.delivery.digest_views import agenda_blocks, title_words
from commands.delivery.digest_wishes import wish_blocks
from commands.delivery.digests import load_items
from commands.kit import Element, Json, actions, button, context, divider, header, section
from commands.pages import Page, wanted_page
from commands.people.first_steps import first_steps_blocks
from commands.people.setup_words import place_lines
from commands.slice import Button, Call, Home, Ref, Reply, Slice
from commands.typed import get_today
from rules.delivery.digests import arrange
from rules.people.roles import Permission
from storage.accounts.accounts import AccountRow
from storage.db import Tx
from storage.health.health import list_latest
from storage.health.portfolio import count_accounts, count_bands, find_score_day
from storage.people.members import MemberRow, get_members
from storage.ranked_accounts import Order, page_ranked
from storage.renewals.contracts import list_contracts
from words.reader import Reader

SORT, PREVIOUS, NEXT = "home.sort", "home.previous", "home.next"
PAGE_LENGTH = 10


def show_home(call: Call, tx: Tx) -> list[Reply]:
    """The person's page as of now, their accounts by risk."""
    return _show(call, tx, Order.RISK, 1)


def turn(call: Call, tx: Tx) -> list[Reply]:
    """The buttons under the accounts: the other order, or another page."""
    extra = call.ref.extra if call.ref else {}
    by = extra.get("by", "")
    order = Order(by) if by in set(Order) else Order.RISK
    return _show(call, tx, order, wanted_page(call))


def _show(call: Call, tx: Tx, order: Order, wanted: int) -> list[Reply]:
    call.require(Permission.READ)
    reader = call.reader
    member, day, items = load_items(call, tx)
    contents = arrange(items, day)
    agenda = agenda_blocks(tx, reader, contents, day, member.id)
    idle = [context(reader.say("Nothing is waiting for you: no alert, check-in, milestone, next step or renewal."))]
    blocks = [
        *first_steps_blocks(reader, tx),
        header(title_words(reader, contents, day)),
        *(agenda or idle),
        divider(),
        *_accounts(call, tx, member, order, wanted),
        divider(),
        *_settings(reader, tx, member),
    ]
    return [Home(tuple(blocks))]


def _settings(reader: Reader, tx: Tx, member: MemberRow) -> list[Json]:
    """What the bot will post where, and one's own choice."""
    places = "\n".join(f"• {line}" for line in place_lines(reader, tx))
    return [
        section(f"*{reader.say('What Milepost posts where')}*\n{places}"),
        *wish_blocks(reader, tx, member),
        context(reader.say("`/cs help` shows all there is to type.")),
    ]


# ---------------------------------------------------------------- accounts


def _accounts(call: Call, tx: Tx, member: MemberRow, order: Order, wanted: int) -> list[Json]:
    """A page of one's accounts; of everybody's, for who has none."""
    reader, today = call.reader, get_today(call, tx)
    own = count_accounts(tx, member.id)
    owner_id, total = (member.id, own) if own else (None, count_accounts(tx))
    if not total:
        add = button(reader.say("Add an account"), ADD, Ref("account", ""))
        return [section(reader.say("There are no accounts yet."), accessory=add)]
    page = Page(total, PAGE_LENGTH, wanted)
    rows = page_ranked(tx, order, today, owner_id, limit=PAGE_LENGTH, offset=page.offset)
    return [
        header(reader.say("Your accounts") if own else reader.say("Accounts of the team")),
        context(_band_words(reader, tx, today, owner_id), _place_words(reader, order, page)),
        *_lines(reader, tx, rows, today, is_own=bool(own)),
        actions(_sort_button(reader, order), *page.buttons(reader, PREVIOUS, NEXT, _ref(order))),
    ]


def _lines(reader: Reader, tx: Tx, rows: list[AccountRow], today: date, *, is_own: bool) -> list[Json]:
    ids = [row.id for row in rows]
    scores, contracts = list_latest(tx, ids, today), list_contracts(tx, ids)
    owners = {} if is_own else get_members(tx, [row.owner_id for row in rows if row.owner_id])
    lines = []
    for row in rows:
        renewal = find_next_renewal(contracts.get(row.id, []), today)
        line = account_line(reader, row, scores.get(row.id), renewal, today)
        owner = "" if is_own else f" · {owner_words(reader, owners.get(row.owner_id or ''))}"
        lines.append(section(f"{line}{owner}", accessory=show_button(reader, row.id)))
    return lines


def _band_words(reader: Reader, tx: Tx, today: date, owner_id: str | None) -> str:
    """How many accounts are in which band: "🔴 2 · 🟡 5 · 🟢 12"."""
    day = find_score_day(tx, today)
    if day is None:
        return reader.say("no health scores yet")
    counts = count_bands(tx, day, owner_id)
    return " · ".join(f"{BAND_MARKS[band]} {reader.number(count)}" for band, count in counts.items() if count)


def _place_words(reader: Reader, order: Order, page: Page) -> str:
    by = reader.say("by risk") if order is Order.RISK else reader.say("by renewal")
    return " · ".join(filter(None, (by, page.place_words(reader))))


def _sort_button(reader: Reader, order: Order) -> Element:
    """The way to the other order."""
    other = Order.RENEWAL if order is Order.RISK else Order.RISK
    label = reader.say("Sort by renewal") if other is Order.RENEWAL else reader.say("Sort by risk")
    return button(label, SORT, _ref(other))


def _ref(order: Order) -> Ref:
    return Ref("home", "", {"by": order.value})


SLICE = Slice(
    "home",
    buttons=tuple(Button(action, turn, "reads") for action in (SORT, PREVIOUS, NEXT)),
    home=show_home,
)
