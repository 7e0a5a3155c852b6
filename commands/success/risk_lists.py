"""Lists of risks: of an account, mine, everybody's, closed ones. Owns their pages; changes nothing."""

from __future__ import annotations

from commands.blocks.accounts import shown_name
from commands.blocks.checkins import LIST_RISKS, add_risk_button, risk_blocks, risk_line
from commands.kit import Json, actions, button, context, message, section
from commands.naming import find_account_here
from commands.pages import Page, wanted_page
from commands.slice import Button, Call, Message, Ref, Reply, Whisper, answer_in_place
from rules.people.roles import Permission
from storage.accounts.accounts import find_account
from storage.db import Tx
from storage.people.members import get_members
from storage.success.risks import count_risks, list_risks

BACK, NEXT = "risks.back", "risks.next"
MINE, ALL, CLOSED = "mine", "all", "closed"
LENGTH = 8
_WHICH = {MINE: MINE, "my": MINE, "我的": MINE, ALL: ALL, "全部": ALL, CLOSED: CLOSED}


def show_list(call: Call, tx: Tx) -> list[Reply]:
    """`/cs risks [mine | all | closed | ACCOUNT]`; with nothing typed those of the channel's account, else mine if
    there are any, else all.
    """
    call.require(Permission.READ)
    which = _WHICH.get(call.text.strip().casefold())
    if which is not None:
        return [Whisper(_page(call, tx, "", which, 1))]
    account, _words = find_account_here(call, tx, call.text)
    if account is not None:
        return [Whisper(_page(call, tx, account.id, ALL, 1))]
    return [Whisper(_page(call, tx, "", MINE if count_risks(tx, owner_id=call.person.id) else ALL, 1))]


def turn_page(call: Call, tx: Tx) -> list[Reply]:
    """The buttons under a list, and those that lead to one."""
    call.require(Permission.READ)
    ref = call.ref or Ref("risks", "")
    account = find_account(tx, ref.id) if ref.kind == "account" else None
    which = ref.extra.get("which", ALL)
    return [answer_in_place(call, _page(call, tx, account.id if account else "", which, wanted_page(call)))]


def _page(call: Call, tx: Tx, account_id: str, which: str, wanted: int) -> Message:
    account, owner, is_open = account_id or None, call.person.id if which == MINE else None, which != CLOSED
    page = Page(count_risks(tx, account_id=account, owner_id=owner, is_open=is_open), LENGTH, wanted)
    rows = list_risks(tx, account_id=account, owner_id=owner, is_open=is_open, limit=LENGTH, offset=page.offset)
    title = f"*{_title(call, tx, account_id, which, page.total)}*"
    people = get_members(tx, [row.owner_id for row, _account in rows if row.owner_id])
    blocks: list[Json] = []
    for row, of in rows:
        blocks += risk_blocks(call.reader, row, risk_line(call.reader, row, None if account else of, people))
    hint = [] if rows else [context(_empty_hint(call, which))]
    last = _last_row(call, account_id, which, page)
    return message(title, section(title), *blocks, *hint, *page.place_line(call.reader), last)


def _title(call: Call, tx: Tx, account_id: str, which: str, total: int) -> str:
    say = call.reader.say_many
    account = find_account(tx, account_id) if account_id else None
    if account is not None:
        name = shown_name(account)
        if which == CLOSED:
            return say("{account}: {count} closed risk", "{account}: {count} closed risks", total, account=name)
        return say("{account}: {count} open risk", "{account}: {count} open risks", total, account=name)
    if which == CLOSED:
        return say("{count} closed risk", "{count} closed risks", total)
    if which == MINE:
        return say("{count} open risk of yours", "{count} open risks of yours", total)
    return say("{count} open risk", "{count} open risks", total)


def _empty_hint(call: Call, which: str) -> str:
    if which == CLOSED:
        return call.reader.say("Risks that were closed are listed here, with how they ended.")
    return call.reader.say(
        "No risk is known. Check-ins ask for them, or type one: {example}",
        example="`/cs risk acme the sponsor may leave`",
    )


def _last_row(call: Call, account_id: str, which: str, page: Page) -> Json:
    """A way to add one, to the other pages, and to the closed ones."""
    buttons = [add_risk_button(call.reader, account_id)]
    buttons += page.buttons(call.reader, BACK, NEXT, _ref(account_id, which))
    if which != CLOSED:
        buttons.append(button(call.reader.say("Closed ones"), LIST_RISKS, _ref(account_id, CLOSED)))
    return actions(*buttons)


def _ref(account_id: str, which: str) -> Ref:
    return Ref("account" if account_id else "risks", account_id, {"which": which})


BUTTONS = (Button(BACK, turn_page, "reads"), Button(NEXT, turn_page, "reads"), Button(LIST_RISKS, turn_page, "reads"))
