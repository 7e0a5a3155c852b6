"""Lists of alerts: mine, everybody's, an account's, the closed ones. Owns their pages; refuses to change anything."""

from __future__ import annotations

from collections.abc import Sequence

from commands.alerts.alert_views import list_blocks, load_views
from commands.blocks.accounts import shown_name
from commands.kit import Json, actions, button, context, message, section
from commands.naming import find_account_here
from commands.slice import Call, Message, Ref, Reply, Whisper, answer_in_place
from rules.people.roles import Permission
from storage.accounts.accounts import find_account
from storage.alerts.alerts import EpisodeRow, count_closed, count_open, list_closed, list_open
from storage.db import Tx

BACK, NEXT = "alerts.back", "alerts.next"
LENGTH = 10
MINE, ALL, CLOSED = "mine", "all", "closed"


def show_list(call: Call, tx: Tx) -> list[Reply]:
    """`/cs alerts [mine | all | closed | ACCOUNT]`; with nothing typed those of the channel's account, else mine if
    there are any, else all.
    """
    call.require(Permission.READ)
    which = call.text.strip().casefold()
    if which in (MINE, ALL, CLOSED):
        return [Whisper(_page(call, tx, which, "", 0))]
    account, _rest = find_account_here(call, tx, call.text)
    if account is not None:
        return [Whisper(_page(call, tx, ALL, account.id, 0))]
    return [Whisper(_page(call, tx, MINE if count_open(tx, owner_id=call.person.id) else ALL, "", 0))]


def turn_page(call: Call, tx: Tx) -> list[Reply]:
    """The buttons under a list."""
    call.require(Permission.READ)
    extra = call.ref.extra if call.ref else {}
    which, offset = extra.get("which", ALL), extra.get("at", "0")
    page = _page(call, tx, which, call.ref.id if call.ref else "", int(offset) if offset.isdecimal() else 0)
    return [answer_in_place(call, page)]


def show_account(call: Call, tx: Tx, account_id: str) -> list[Reply]:
    """The open alerts of one account, to choose from."""
    call.require(Permission.READ)
    return [Whisper(_page(call, tx, ALL, account_id, 0))]


def _page(call: Call, tx: Tx, which: str, account_id: str, offset: int) -> Message:
    total, rows = _read(call, tx, which, account_id, offset)
    title = f"*{_title(call, tx, which, account_id, total)}*"
    if not rows:
        return message(title, section(title), context(_empty_hint(call, which)))
    blocks = list_blocks(call.reader, load_views(tx, call.reader, rows))
    return message(title, section(title), *blocks, *_turning(call, which, account_id, offset, total))


def _read(call: Call, tx: Tx, which: str, account_id: str, offset: int) -> tuple[int, Sequence[EpisodeRow]]:
    account = account_id or None
    if which == CLOSED:
        return count_closed(tx, account), list_closed(tx, account, LENGTH, offset)
    owner = call.person.id if which == MINE else None
    return count_open(tx, account, owner), list_open(tx, account, owner, LENGTH, offset)


def _title(call: Call, tx: Tx, which: str, account_id: str, total: int) -> str:
    say = call.reader.say_many
    if which == CLOSED:
        return say("{count} closed alert", "{count} closed alerts", total)
    if which == MINE:
        return say("{count} open alert of yours", "{count} open alerts of yours", total)
    account = find_account(tx, account_id) if account_id else None
    if account is not None:
        name = shown_name(account)
        return say("{name}: {count} open alert", "{name}: {count} open alerts", total, name=name)
    return say("{count} open alert", "{count} open alerts", total)


def _empty_hint(call: Call, which: str) -> str:
    if which == CLOSED:
        return call.reader.say("Alerts that were resolved or dismissed are listed here.")
    return call.reader.say(
        "Nothing needs you. Milepost looks every day for scores that drop, red accounts and silence. "
        "See also `/cs alerts all` and `/cs alerts closed`."
    )


def _turning(call: Call, which: str, account_id: str, offset: int, total: int) -> list[Json]:
    """Earlier and later pages, as far as there are any."""
    say, buttons = call.reader.say, []
    if offset > 0:
        buttons.append(button(say("Back"), BACK, _page_ref(which, account_id, max(0, offset - LENGTH))))
    if offset + LENGTH < total:
        buttons.append(button(say("More"), NEXT, _page_ref(which, account_id, offset + LENGTH)))
    return [actions(*buttons)] if buttons else []


def _page_ref(which: str, account_id: str, offset: int) -> Ref:
    return Ref("alerts", account_id, {"which": which, "at": str(offset)})
