"""Muting alerts: `/cs alerts mute`, `unmute` and `mutes`, the form and the buttons. Owns who may mute what, and reading
what was typed; refuses to decide how long (`rules.alerts.mutes`) and to silence (`storage.alerts.silencing`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta

from commands.access import require_on
from commands.alerts.mute_views import (
    BACK,
    FORM,
    LIST,
    MUTE,
    NEXT,
    UNMUTE,
    mute_form,
    render_mutes,
    scope_words,
    unmute_button,
)
from commands.blocks.timeline import alert_words
from commands.kit import actions, message, section
from commands.naming import find_account_here, resolve_account
from commands.pages import wanted_page
from commands.slice import Access, Button, Call, Form, Message, OpenForm, Reply, Whisper, answer_in_place
from commands.typed import get_today, read_date, split_date, writes_if_typed
from rules.alerts.mutes import AddMute, ChangeMute, Scope, decide_mute, decide_unmute
from rules.errors import StaleError, UserError
from rules.people.roles import Permission
from rules.records import AlertKind
from storage.accounts.accounts import get_account
from storage.alerts.mutes import apply_mute, count_covered, get_mute, list_active, list_mutes, to_mute
from storage.alerts.silencing import release_page, silence_page
from storage.db import Tx
from storage.people.team import get_team_time

_FORM_DAYS = timedelta(days=14)
_ALL = frozenset({"all", "everything", "全部"})
_LINKS = re.compile(r"^(?:(?:until|till|for|bis)\b|直到|到)\s*", re.IGNORECASE)
_LEAP_YEAR = date(2024, 1, 1)


def get_mute_access(text: str) -> Access:
    """Without a day that a mute could end on, its form opens."""
    words = text.split()
    may_end = any(split_date(" ".join(words[at:]), _LEAP_YEAR, prefer="future")[0] for at in range(len(words)))
    return "writes" if may_end else "reads"


def mute(call: Call, tx: Tx, text: str) -> list[Reply]:
    """`/cs alerts mute ACCOUNT|KIND|all until DATE [reason]`; what is missing is asked for in the form."""
    if not text:
        account, _rest = find_account_here(call, tx, "")
        return [OpenForm(mute_form(call.reader, account, None, get_today(call, tx) + _FORM_DAYS))]
    scope, rest = _read_scope(call, tx, text)
    day, reason = split_date(_LINKS.sub("", rest.strip()), get_today(call, tx), prefer="future")
    if day is None:
        _require(call, tx, scope)
        account = get_account(tx, scope.account_id) if scope.account_id else None
        return [OpenForm(mute_form(call.reader, account, scope.kind, get_today(call, tx) + _FORM_DAYS, reason))]
    return [Whisper(_mute(call, tx, scope, day, reason))]


def unmute(call: Call, tx: Tx, text: str) -> list[Reply]:
    """`/cs alerts unmute ACCOUNT|KIND|all`; with nothing typed the list, whose buttons do it."""
    if not text:
        return show_mutes(call, tx, text)
    scope, _rest = _read_scope(call, tx, text)
    row = next((each for each in list_mutes(tx) if to_mute(each).scope == scope), None)
    if row is None:
        raise UserError("That is not muted. See `/cs alerts mutes` for what is.")
    return [Whisper(_unmute(call, tx, row.id))]


def show_mutes(call: Call, tx: Tx, _text: str = "") -> list[Reply]:
    """`/cs alerts mutes`: what is muted until when, by whom, why."""
    call.require(Permission.READ)
    return [Whisper(render_mutes(call, tx, 1))]


def turn_page(call: Call, tx: Tx) -> list[Reply]:
    """Previous, Next, and the button that brings the list."""
    call.require(Permission.READ)
    return [answer_in_place(call, render_mutes(call, tx, wanted_page(call)))]


def press_unmute(call: Call, tx: Tx) -> list[Reply]:
    """The button beside a mute."""
    return [answer_in_place(call, _unmute(call, tx, call.ref.id if call.ref else ""))]


def open_form(call: Call, tx: Tx) -> list[Reply]:
    """The button under the list: the form, empty."""
    call.require(Permission.ACCOUNT_WRITE)
    return [OpenForm(mute_form(call.reader, None, None, get_today(call, tx) + _FORM_DAYS))]


def submit(call: Call, tx: Tx) -> list[Reply]:
    """The form: an account, a kind, both or everything, until a day."""
    call.require(Permission.ACCOUNT_WRITE)
    account_id = (call.ref.id if call.ref and call.ref.kind == "account" else "") or call.value("account")
    kind = call.value("kind")
    if kind and kind not in {*AlertKind, "all"}:
        raise UserError("Choose a kind of alert from the list.", field="kind")
    scope = Scope(account_id or None, AlertKind(kind) if kind in set(AlertKind) else None)
    day = read_date(call.value("until"), get_today(call, tx), prefer="future", field="until")
    return [Whisper(_mute(call, tx, scope, day, call.value("note")))]


# ---------------------------------------------------------------- reading


def _read_scope(call: Call, tx: Tx, text: str) -> tuple[Scope, str]:
    """What is to be muted, and the rest of the text: everything, a kind by its name, else an account."""
    first, _space, rest = text.partition(" ")
    if first.casefold() in _ALL:
        return Scope(), rest
    found = _find_kind(call, text)
    if found is not None:
        return Scope(kind=found[0]), found[1]
    account, rest = resolve_account(call, tx, text)
    return Scope(account.id), rest


def _find_kind(call: Call, text: str) -> tuple[AlertKind, str] | None:
    """The kind that `text` begins with, by its name here or in the reader's language, and the rest."""
    names = [(kind, name) for kind in AlertKind for name in _list_names(call, kind)]
    for kind, name in sorted(names, key=lambda each: -len(each[1])):
        rest = text[len(name) :]
        if text.casefold().startswith(name.casefold()) and (not rest or not rest[0].isalnum()):
            return kind, rest
    return None


def _list_names(call: Call, kind: AlertKind) -> Sequence[str]:
    return kind.value, kind.value.replace("_", " "), alert_words(call.reader, kind)


# ---------------------------------------------------------------- writing


def _require(call: Call, tx: Tx, scope: Scope) -> None:
    """Accounts: who may work on them. What is more than one account's: a lead."""
    if scope.account_id:
        account = get_account(tx, scope.account_id)
        if account.archived_at is not None:
            raise StaleError("This account was archived. It has no alerts to mute.")
        require_on(call, tx, Permission.ACCOUNT_WRITE, account)
    else:
        call.require(Permission.SETUP)


def _mute(call: Call, tx: Tx, scope: Scope, day: date, reason: str) -> Message:
    _require(call, tx, scope)
    intent = decide_mute(scope, _find_end(tx, day), reason, list_active(tx, call.now), call.now)
    row = apply_mute(tx, intent, call.person.actor, call.now)
    silence_page(tx, call.person.actor, call.now)
    reader, words = call.reader, {"what": scope_words(call, tx, row), "time": call.reader.moment(row.until)}
    text = {
        AddMute: reader.say("Muted until {time}: {what}.", **words),
        ChangeMute: reader.say("Muted until {time} from now on: {what}.", **words),
    }[type(intent)]
    count = count_covered(tx, scope)
    hint = reader.say_many(
        "{count} open alert is silent. It is still watched and listed; what is still wrong then is told.",
        "{count} open alerts are silent. They are still watched and listed; what is still wrong then is told.",
        count,
    )
    return message(text, section(f"{text}\n{hint}"), actions(unmute_button(reader, row.id)))


def _unmute(call: Call, tx: Tx, mute_id: str) -> Message:
    row = get_mute(tx, mute_id)
    _require(call, tx, to_mute(row).scope)
    active = next((each for each in list_active(tx, call.now) if each.id == row.id), None)
    apply_mute(tx, decide_unmute(active), call.person.actor, call.now)
    release_page(tx, call.person.actor, call.now)
    what = scope_words(call, tx, row)
    return message(call.reader.say("No longer muted: {what}. What is still wrong is told in a few minutes.", what=what))


def _find_end(tx: Tx, day: date) -> datetime:
    """A mute ends when the team begins to work on that day, so that what is still wrong is told that morning."""
    return get_team_time(tx).find_hours(day)[0]


Verb = Callable[[Call, Tx, str], list[Reply]]
VERBS: Mapping[str, Verb] = {"mute": mute, "unmute": unmute, "mutes": show_mutes}
ACCESS: Mapping[str, Callable[[str], Access]] = {"mute": get_mute_access, "unmute": writes_if_typed}
BUTTONS = (
    Button(LIST, turn_page, "reads"),
    Button(BACK, turn_page, "reads"),
    Button(NEXT, turn_page, "reads"),
    Button(MUTE, open_form, "reads"),
    Button(UNMUTE, press_unmute, "writes"),
)
FORMS = (Form(FORM, submit),)
