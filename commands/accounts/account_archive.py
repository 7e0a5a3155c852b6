"""Putting accounts away and bringing them back: `/cs archive`, `/cs restore`, their list and buttons. Owns these acts
and what they say; nothing is ever deleted here.
"""

from __future__ import annotations

from commands.access import require_on
from commands.accounts.asking import ask_which, get_pressed
from commands.accounts.versions import who_words
from commands.blocks.accounts import ARCHIVE, ASK_ARCHIVE, show_button, shown_name
from commands.kit import Element, Json, actions, button, clip, context, esc, mention, message, section
from commands.naming import find_account_here
from commands.pages import Page, wanted_page
from commands.slice import Button, Call, Command, Message, Ref, Reply, Whisper, answer_in_place
from commands.typed import writes_if_typed
from rules.accounts.accounts import REASON_LENGTH, RestoreAccount, decide_archive
from rules.alerts.alerts import Cleared, decide
from rules.errors import StaleError, UserError
from rules.people.roles import Permission
from storage.accounts.account_writes import apply_accounts
from storage.accounts.accounts import (
    AccountRow,
    count_archived,
    find_account,
    list_archived,
    list_archived_named,
)
from storage.alerts.alert_writes import apply_alerts
from storage.alerts.alerts import count_open, list_open, to_episode
from storage.audit import AuditRow, find_change, list_latest_of
from storage.db import Tx
from storage.people.members import get_members
from words.names import find_name

RESTORE, BACK, MORE = "accounts.restore", "accounts.archived_back", "accounts.archived_more"
_ARCHIVED = "account.archived"
_PAGE_LENGTH = 10
_MOST_ALERTS = 1000


def archive(call: Call, tx: Tx) -> list[Reply]:
    """`/cs archive ACCOUNT [reason]`: says what stops and asks."""
    call.require(Permission.ACCOUNT_WRITE)
    account, reason = find_account_here(call, tx, call.text, is_free_text=True)
    return [Whisper(ask_which(call) if account is None else _ask(call, tx, account, reason))]


def ask_archive(call: Call, tx: Tx) -> list[Reply]:
    """The button: says what stops and asks."""
    return [Whisper(_ask(call, tx, get_pressed(call, tx), ""))]


def do_archive(call: Call, tx: Tx) -> list[Reply]:
    """The answer yes: the account is put away and its open alerts are closed."""
    account = _get_any(call, tx)
    require_on(call, tx, Permission.ACCOUNT_WRITE, account)
    if account.archived_at is not None:
        raise StaleError(
            "{who} archived this account before you, {time}.",
            who=who_words(call, tx, find_change(tx, _ARCHIVED, account.id)),
            time=call.reader.moment(account.archived_at),
        )
    reason = call.ref.extra.get("reason", "") if call.ref else ""
    apply_accounts(tx, decide_archive(account.id, reason), call.person.actor, call.now)
    closed = _close_alerts(call, tx, account)
    said = call.reader.say("Archived {account}.", account=f"*{shown_name(account)}*")
    if closed:
        said += " " + call.reader.say_many("{count} alert was closed.", "{count} alerts were closed.", closed)
    back = button(call.reader.say("Undo"), RESTORE, Ref("account", account.id))
    hint = context(call.reader.say("Nothing is lost: `/cs restore` brings it back at any time."))
    return [answer_in_place(call, message(said, section(said), hint, actions(back, _archived_button(call))))]


def restore(call: Call, tx: Tx) -> list[Reply]:
    """`/cs restore [ACCOUNT]`: the archived ones to choose from, or one brought back."""
    call.require(Permission.READ)
    if not call.text.strip():
        return [Whisper(_list(call, tx, 1))]
    return [Whisper(_restore(call, tx, _find_archived(tx, call.text.strip())))]


def do_restore(call: Call, tx: Tx) -> list[Reply]:
    """The button: the account it is about is in use again."""
    return [answer_in_place(call, _restore(call, tx, _get_any(call, tx)))]


def turn_page(call: Call, tx: Tx) -> list[Reply]:
    """Previous and Next under the archived ones."""
    call.require(Permission.READ)
    return [answer_in_place(call, _list(call, tx, wanted_page(call)))]


def _ask(call: Call, tx: Tx, account: AccountRow, reason: str) -> Message:
    require_on(call, tx, Permission.ACCOUNT_WRITE, account)
    reader, alerts = call.reader, count_open(tx, account.id)
    title = reader.say("Archive {account}?", account=f"*{shown_name(account)}*")
    stops = [
        reader.say("Its health scores, check-ins, reminders and renewals stop, and it leaves lists and digests."),
        reader.say_many("{count} open alert is closed.", "{count} open alerts are closed.", alerts) if alerts else "",
        reader.say("Everything is kept, and you can bring it back."),
    ]
    said = "\n".join([title, " ".join(each for each in stops if each)])
    decide_archive(account.id, reason)
    quoted = [context(reader.say("Reason: {reason}", reason=esc(reason)))] if reason else []
    yes = button(reader.say("Archive"), ARCHIVE, Ref("account", account.id, {"reason": reason}), style="danger")
    return message(title, section(said), *quoted, actions(yes, _archived_button(call)))


def _close_alerts(call: Call, tx: Tx, account: AccountRow) -> int:
    """At once, and not at the next scan: nobody shall be asked about an account that was put away."""
    rows = list_open(tx, account.id, limit=_MOST_ALERTS)
    intents = [each for row in rows for each in decide(to_episode(row), Cleared("account_gone"), call.now)]
    apply_alerts(tx, intents, call.person.actor, call.now)
    return len(rows)


def _restore(call: Call, tx: Tx, account: AccountRow) -> Message:
    require_on(call, tx, Permission.ACCOUNT_WRITE, account)
    change = find_change(tx, _ARCHIVED, account.id)
    reason = str((change.after or {}).get("reason", "")) if change else ""
    apply_accounts(tx, [RestoreAccount(account.id)], call.person.actor, call.now)
    said = call.reader.say(
        "{account} is back. Alerts that still hold come back with the next daily look.",
        account=f"*{shown_name(account)}*",
    )
    again = button(call.reader.say("Undo"), ARCHIVE, Ref("account", account.id, {"reason": reason}))
    return message(said, section(said), actions(show_button(call.reader, account.id), again))


def _get_any(call: Call, tx: Tx) -> AccountRow:
    found = find_account(tx, call.ref.id if call.ref else "")
    if found is None:
        raise StaleError("This account no longer exists.")
    return found


def _find_archived(tx: Tx, name: str) -> AccountRow:
    found = find_name(name, list_archived_named(tx))
    account = find_account(tx, found.match.id) if found.match else None
    if account is None:
        nearest = tuple((each.id, each.names[0]) for each in found.nearest)
        sentence = "I know no archived account “{name}”. `/cs restore` lists those there are."
        raise UserError(sentence, field="account", nearest=nearest, name=name)
    return account


def _list(call: Call, tx: Tx, wanted: int) -> Message:
    reader, page = call.reader, Page(count_archived(tx), _PAGE_LENGTH, wanted)
    if not page.total:
        return message(reader.say("No account is archived. `/cs archive` puts one away that you no longer look after."))
    rows = list_archived(tx, _PAGE_LENGTH, page.offset)
    changes = list_latest_of(tx, _ARCHIVED, [row.id for row in rows])
    members = get_members(tx, {each.actor_id for each in changes.values()})
    title = "*" + reader.say_many("{count} archived account", "{count} archived accounts", page.total) + "*"
    lines: list[Json] = []
    for row in rows:
        change = changes.get(row.id)
        member = members.get(change.actor_id) if change else None
        words = _archived_words(call, row, change, mention(member.slack_id) if member else "")
        again = button(reader.say("Restore"), RESTORE, Ref("account", row.id))
        lines.append(section(words, accessory=again))
    return message(title, section(title), *lines, *page.turns(reader, BACK, MORE, Ref("archived", "")))


def _archived_button(call: Call) -> Element:
    """The first page of what is put away."""
    return button(call.reader.say("Archived accounts"), BACK, Ref("archived", ""))


def _archived_words(call: Call, row: AccountRow, change: AuditRow | None, who: str) -> str:
    since = call.reader.moment(row.archived_at) if row.archived_at else ""
    reason = str((change.after or {}).get("reason", "")) if change else ""
    parts = [f"*{shown_name(row)}*", call.reader.say("archived {time}", time=since), who]
    return " · ".join([*filter(None, parts), *([esc(clip(reason, REASON_LENGTH))] if reason else [])])


COMMANDS = (
    Command(
        "archive",
        "[ACCOUNT] [reason]",
        "Put an account away: no more alerts, digests and reminders",
        archive,
        "reads",
        ("archive acme moved to a partner",),
    ),
    Command(
        "restore",
        "[ACCOUNT]",
        "List archived accounts, or bring one back",
        restore,
        writes_if_typed,
        ("restore", "restore acme"),
    ),
)
BUTTONS = (
    Button(ASK_ARCHIVE, ask_archive, "reads"),
    Button(ARCHIVE, do_archive, "writes"),
    Button(RESTORE, do_restore, "writes"),
    Button(BACK, turn_page, "reads"),
    Button(MORE, turn_page, "reads"),
)
