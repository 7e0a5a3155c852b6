"""Lists of next steps: mine, somebody's, an account's, everybody's. Owns their pages; changes nothing."""

from __future__ import annotations

from commands.blocks.accounts import shown_name
from commands.blocks.checkins import LIST_TASKS, add_task_button, task_blocks, task_line
from commands.kit import actions, context, esc, message, section
from commands.naming import find_account_here
from commands.pages import Page, wanted_page
from commands.slice import Button, Call, Message, Ref, Reply, Whisper, answer_in_place
from commands.typed import find_person_id, get_today, split_mentions
from rules.people.roles import Permission
from storage.accounts.accounts import find_account
from storage.db import Tx
from storage.people.members import get_members
from storage.success.tasks import count_tasks, page_tasks

BACK, NEXT = "tasks.back", "tasks.next"
MINE, ALL = "mine", "all"
LENGTH = 8
_MINE = frozenset({MINE, "my", "me", "我的"})
_ALL = frozenset({ALL, "全部"})


def show_list(call: Call, tx: Tx) -> list[Reply]:
    """`/cs tasks [mine | all | ACCOUNT | @person]`; with nothing typed those of the channel's account, else mine."""
    call.require(Permission.READ)
    person, _channel, rest = split_mentions(call.text)
    which = rest.casefold()
    if person:
        return [Whisper(_page(call, tx, "", find_person_id(tx, person), 1))]
    if which in _MINE:
        return [Whisper(_page(call, tx, "", call.person.id, 1))]
    if which in _ALL:
        return [Whisper(_page(call, tx, "", ALL, 1))]
    account, _words = find_account_here(call, tx, call.text)
    if account is None:
        return [Whisper(_page(call, tx, "", call.person.id, 1))]
    return [Whisper(_page(call, tx, account.id, ALL, 1))]


def turn_page(call: Call, tx: Tx) -> list[Reply]:
    """The buttons under a list, and those that lead to one: of an account, else mine."""
    call.require(Permission.READ)
    ref = call.ref or Ref("tasks", "")
    account = find_account(tx, ref.id) if ref.kind == "account" else None
    whose = ref.extra.get("whose", ALL if account else call.person.id)
    return [answer_in_place(call, _page(call, tx, account.id if account else "", whose, wanted_page(call)))]


def _page(call: Call, tx: Tx, account_id: str, whose: str, wanted: int) -> Message:
    account, owner = account_id or None, None if whose == ALL else whose
    page, today = Page(count_tasks(tx, account_id=account, owner_id=owner), LENGTH, wanted), get_today(call, tx)
    rows = page_tasks(tx, account_id=account, owner_id=owner, limit=LENGTH, offset=page.offset)
    title = f"*{_title(call, tx, account_id, whose, page.total)}*"
    people = get_members(tx, [row.owner_id for row, _account in rows if row.owner_id])
    lines = [task_line(call.reader, row, None if account_id else of, people, today) for row, of in rows]
    blocks = [
        block for line, (row, _) in zip(lines, rows, strict=True) for block in task_blocks(call.reader, row, line)
    ]
    hint = [] if rows else [context(_empty_hint(call))]
    ref = Ref("account" if account_id else "tasks", account_id, {"whose": whose})
    turns = page.buttons(call.reader, BACK, NEXT, ref)
    last = actions(add_task_button(call.reader, account_id), *turns)
    return message(title, section(title), *blocks, *hint, *page.place_line(call.reader), last)


def _title(call: Call, tx: Tx, account_id: str, whose: str, total: int) -> str:
    say = call.reader.say_many
    account = find_account(tx, account_id) if account_id else None
    if account is not None:
        name = shown_name(account)
        return say("{account}: {count} open next step", "{account}: {count} open next steps", total, account=name)
    if whose == ALL:
        return say("{count} open next step", "{count} open next steps", total)
    if whose == call.person.id:
        return say("{count} open next step of yours", "{count} open next steps of yours", total)
    member = get_members(tx, [whose]).get(whose)
    who = esc(member.name) if member else call.reader.say("somebody")
    return say("{who}: {count} open next step", "{who}: {count} open next steps", total, who=who)


def _empty_hint(call: Call) -> str:
    return call.reader.say(
        "Nothing is waiting. Next steps come from check-ins, or type one: {example}",
        example="`/cs task acme send the offer by friday`",
    )


BUTTONS = (Button(BACK, turn_page, "reads"), Button(NEXT, turn_page, "reads"), Button(LIST_TASKS, turn_page, "reads"))
