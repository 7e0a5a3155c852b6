"""Lists of next steps: mine, somebody's, an account's, everybody's. Owns their pages; changes nothing."""

from __future__ import annotations

from commands.blocks.accounts import shown_name
from commands.blocks.checkins import LIST_TASKS, add_task_button, task_blocks, task_line
from commands.kit import Json, actions, button, context, esc, message, section
from commands.naming import find_account_here
from commands.slice import Button, Call, Message, Ref, Reply, Whisper, answer_in_place
from commands.typed import get_today, split_mentions
from rules.people.roles import Permission
from storage.accounts.accounts import find_account
from storage.db import Tx
from storage.people.members import find_by_slack_id, get_members
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
        found = find_by_slack_id(tx, person)
        return [Whisper(_page(call, tx, "", found.id if found else person, 0))]
    if which in _MINE:
        return [Whisper(_page(call, tx, "", call.person.id, 0))]
    if which in _ALL:
        return [Whisper(_page(call, tx, "", ALL, 0))]
    account, _words = find_account_here(call, tx, call.text)
    if account is None:
        return [Whisper(_page(call, tx, "", call.person.id, 0))]
    return [Whisper(_page(call, tx, account.id, ALL, 0))]


def turn_page(call: Call, tx: Tx) -> list[Reply]:
    """The buttons under a list, and those that lead to one: of an account, else mine."""
    call.require(Permission.READ)
    ref = call.ref or Ref("tasks", "")
    account = find_account(tx, ref.id) if ref.kind == "account" else None
    extra, whose = ref.extra, ALL if account else call.person.id
    offset = extra.get("at", "0")
    page = _page(
        call, tx, account.id if account else "", extra.get("whose", whose), int(offset) if offset.isdecimal() else 0
    )
    return [answer_in_place(call, page)]


def _page(call: Call, tx: Tx, account_id: str, whose: str, offset: int) -> Message:
    account, owner = account_id or None, None if whose == ALL else whose
    total, today = count_tasks(tx, account_id=account, owner_id=owner), get_today(call, tx)
    rows = page_tasks(tx, account_id=account, owner_id=owner, limit=LENGTH, offset=offset)
    title = f"*{_title(call, tx, account_id, whose, total)}*"
    people = get_members(tx, [row.owner_id for row, _account in rows if row.owner_id])
    lines = [task_line(call.reader, row, None if account_id else of, people, today) for row, of in rows]
    blocks = [
        block for line, (row, _) in zip(lines, rows, strict=True) for block in task_blocks(call.reader, row, line)
    ]
    hint = [] if rows else [context(_empty_hint(call))]
    return message(title, section(title), *blocks, *hint, _last_row(call, account_id, whose, offset, total))


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


def _last_row(call: Call, account_id: str, whose: str, offset: int, total: int) -> Json:
    """Earlier and later pages, as far as there are any, and a way to add one."""
    say, buttons = call.reader.say, [add_task_button(call.reader, account_id)]
    if offset > 0:
        buttons.append(button(say("Back"), BACK, _page_ref(account_id, whose, max(0, offset - LENGTH))))
    if offset + LENGTH < total:
        buttons.append(button(say("More"), NEXT, _page_ref(account_id, whose, offset + LENGTH)))
    return actions(*buttons)


def _page_ref(account_id: str, whose: str, offset: int) -> Ref:
    return Ref("account" if account_id else "tasks", account_id, {"whose": whose, "at": str(offset)})


BUTTONS = (Button(BACK, turn_page, "reads"), Button(NEXT, turn_page, "reads"), Button(LIST_TASKS, turn_page, "reads"))
