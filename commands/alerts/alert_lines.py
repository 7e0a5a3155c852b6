"""Alerts by typed words: `/cs alerts take acme`, `snooze acme 3 days`, `assign acme @ada`, `dismiss acme` and
`resolve acme`. Owns reading these; refuses to act (`commands.alerts.alert_acts`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, timedelta

from commands.alerts import mutes, noise
from commands.alerts.alert_acts import carry_out, get_view, plan_snooze, require
from commands.alerts.alert_forms import assign_form, dismiss_form, snooze_form
from commands.alerts.alert_lists import show_account, show_list
from commands.alerts.alert_log import show_log
from commands.alerts.ledger import show_ledger
from commands.alerts.rules import show_rules
from commands.alerts.why import show_why
from commands.blocks.alert_looks import AlertView
from commands.naming import resolve_account
from commands.slice import Access, Call, OpenForm, Reply
from commands.typed import get_person, get_today, split_date, split_mentions
from rules.alerts.alerts import Assign, Resolve, Take
from rules.errors import UserError
from rules.people.roles import Permission
from storage.alerts.alerts import list_open
from storage.db import Tx

Act = Callable[[Call, Tx, AlertView, str], list[Reply]]
_LEAP_YEAR = date(2024, 1, 1)
FORM_DAYS = timedelta(days=14)
"""What the snooze form offers."""


def get_access(text: str) -> Access:
    """Only a verb changes anything; `dismiss`, `assign` without a person and `snooze` without a day open their form."""
    verb, _space, rest = text.strip().partition(" ")
    is_form = {
        "dismiss": True,
        "assign": not split_mentions(rest)[0],
        "snooze": not _may_name_day(rest),
    }
    verb = verb.casefold()
    if verb in _ACCESS:
        return _ACCESS[verb](rest)
    if verb in _VIEWS:
        return "writes" if verb == "ledger" else "reads"
    return "writes" if verb in _VERBS and not is_form.get(verb, False) else "reads"


def _may_name_day(text: str) -> bool:
    """Whether a day may stand anywhere in the text: in a leap year there are days of every name."""
    return any(split_date(text[word.start() :], _LEAP_YEAR, prefer="future")[0] for word in re.finditer(r"\S+", text))


def handle_line(call: Call, tx: Tx) -> list[Reply]:
    """A verb and an account, else a list. Where an account has several open alerts, they are shown to choose from."""
    verb, _space, rest = call.text.strip().partition(" ")
    verb = verb.casefold()
    if verb in _VIEWS:
        return _VIEWS[verb](call, tx, rest.strip())
    handle = _VERBS.get(verb)
    if handle is None:
        return show_list(call, tx)
    account, words = resolve_account(call, tx, rest)
    rows = list_open(tx, account.id, limit=2)
    if not rows:
        raise UserError("{name} has no open alert. See `/cs alerts closed`.", name=account.name)
    if len(rows) > 1:
        return show_account(call, tx, account.id)
    return handle(call, tx, get_view(call, tx, rows[0].id), words.strip())


def _take(call: Call, tx: Tx, view: AlertView, _words: str) -> list[Reply]:
    return carry_out(call, tx, view, Take(call.person.id))


def _snooze(call: Call, tx: Tx, view: AlertView, words: str) -> list[Reply]:
    day, reason = split_date(words, get_today(call, tx), prefer="future")
    if day is None:
        require(call, tx, view)
        return [OpenForm(snooze_form(call.reader, view, get_today(call, tx) + FORM_DAYS))]
    return carry_out(call, tx, view, plan_snooze(call, tx, view, day, reason))


def _assign(call: Call, tx: Tx, view: AlertView, words: str) -> list[Reply]:
    slack_id, _channel, _rest = split_mentions(words)
    if not slack_id:
        require(call, tx, view, Permission.ASSIGN)
        return [OpenForm(assign_form(call.reader, view))]
    return carry_out(call, tx, view, Assign(get_person(tx, slack_id).id))


def _dismiss(call: Call, tx: Tx, view: AlertView, words: str) -> list[Reply]:
    """Always by the form: a dismissal needs one of the reasons."""
    require(call, tx, view)
    return [OpenForm(dismiss_form(call.reader, view, note=words))]


def _resolve(call: Call, tx: Tx, view: AlertView, words: str) -> list[Reply]:
    return carry_out(call, tx, view, Resolve(call.person.id, words))


_VIEWS: Mapping[str, Callable[[Call, Tx, str], list[Reply]]] = {
    "ledger": show_ledger,
    "log": show_log,
    "rules": lambda call, tx, _rest: show_rules(call, tx),
    "why": show_why,
    **mutes.VERBS,
    **noise.VERBS,
}
"""Words after which nothing is done to a single alert. The ledger sends its picture."""
_ACCESS: Mapping[str, Callable[[str], Access]] = mutes.ACCESS
_VERBS: Mapping[str, Act] = {
    "take": _take,
    "snooze": _snooze,
    "assign": _assign,
    "dismiss": _dismiss,
    "resolve": _resolve,
}
