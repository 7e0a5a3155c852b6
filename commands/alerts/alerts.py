"""Alerts as people handle them: the buttons under an alert, its forms, and the slice that names them all. Owns which
button does what; refuses to decide what a state allows (`rules.alerts.alerts`) and to lay out.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from commands.alerts import alert_log, alert_undo, alert_waiting, ledger, mutes, noise, rules, why
from commands.alerts.alert_acts import carry_out, get_view, plan_snooze, require, require_open
from commands.alerts.alert_forms import (
    ASSIGN_FORM,
    DISMISS_FORM,
    RESOLVE_FORM,
    SNOOZE_FORM,
    assign_form,
    dismiss_form,
    resolve_form,
    snooze_form,
)
from commands.alerts.alert_lines import FORM_DAYS, get_access, handle_line
from commands.alerts.alert_lists import BACK, FILTER, NEXT, turn_page
from commands.alerts.alert_views import render_alert_of, render_summary_of
from commands.alerts.why import why_form
from commands.blocks.accounts import headline, shown_name
from commands.blocks.alert_looks import AlertView
from commands.blocks.alerts import MORE, OPEN, RESOLVE, SNOOZE, TAKE, UNTIL, render_alert
from commands.kit import message
from commands.slice import Button, Call, Command, Form, FormView, OpenForm, Reply, Slice, Whisper
from commands.typed import get_person, get_today, read_date
from rules.alerts.alerts import Assign, Dismiss, Resolve, Take
from rules.errors import StaleError, UserError
from rules.people.roles import Permission
from rules.records import DismissReason
from storage.alerts.alerts import MESSAGE, SUMMARY
from storage.db import Tx

# ---------------------------------------------------------------- buttons


def take(call: Call, tx: Tx) -> list[Reply]:
    """The person is on it; a second one learns who was first."""
    return carry_out(call, tx, get_view(call, tx), Take(call.person.id))


def resolve(call: Call, tx: Tx) -> list[Reply]:
    """Dealt with."""
    return carry_out(call, tx, get_view(call, tx), Resolve(call.person.id))


def snooze(call: Call, tx: Tx) -> list[Reply]:
    """The snooze menu: some days at once, or the form for a day of one's own."""
    view = get_view(call, tx)
    require_open(call, view)
    require(call, tx, view)
    days = call.ref.extra.get("days", UNTIL) if call.ref else UNTIL
    today = get_today(call, tx)
    if not days.isdecimal():
        return [OpenForm(snooze_form(call.reader, view, today + FORM_DAYS))]
    return carry_out(call, tx, view, plan_snooze(call, tx, view, today + timedelta(days=int(days))))


def choose_more(call: Call, tx: Tx) -> list[Reply]:
    """The three-dots menu: the account, the calculation, or a form."""
    view = get_view(call, tx)
    do = call.ref.extra.get("do", "") if call.ref else ""
    if do == "account":
        return [Whisper(message(_account_words(call, view)))]
    if do == "why":
        return [OpenForm(why_form(call, tx, view))]
    if do not in _FORMS:
        raise StaleError("This menu is from an older version. Open the alert anew with `/cs alerts`.")
    require_open(call, view)
    require(call, tx, view, Permission.ASSIGN if do == "assign" else Permission.ACCOUNT_WRITE)
    return [OpenForm(_FORMS[do](call, view))]


def open_alert(call: Call, tx: Tx) -> list[Reply]:
    """The whole alert, for the person alone."""
    return [Whisper(render_alert(call.reader, get_view(call, tx)))]


_FORMS: dict[str, Callable[[Call, AlertView], FormView]] = {
    "assign": lambda call, view: assign_form(call.reader, view),
    "dismiss": lambda call, view: dismiss_form(call.reader, view),
    "resolve": lambda call, view: resolve_form(call.reader, view),
}


def _account_words(call: Call, view: AlertView) -> str:
    hint = call.reader.say("Everything about it: `/cs show {name}`", name=shown_name(view.account))
    return f"{headline(call.reader, view.account, view.owner)}\n{hint}"


# ---------------------------------------------------------------- forms


def submit_snooze(call: Call, tx: Tx) -> list[Reply]:
    """A day of one's own."""
    view = get_view(call, tx)
    day = read_date(call.value("until"), get_today(call, tx), prefer="future", field="until")
    return carry_out(call, tx, view, plan_snooze(call, tx, view, day, call.value("note")))


def submit_assign(call: Call, tx: Tx) -> list[Reply]:
    """A new owner."""
    view, slack_id = get_view(call, tx), call.value("owner")
    if not slack_id:
        raise UserError("Choose who is to own this alert.", field="owner")
    return carry_out(call, tx, view, Assign(get_person(tx, slack_id).id))


def submit_dismiss(call: Call, tx: Tx) -> list[Reply]:
    """A reason, and words where it needs them."""
    view, chosen = get_view(call, tx), call.value("reason")
    if chosen not in set(DismissReason):
        raise UserError("Choose a reason from the list.", field="reason")
    event = Dismiss(call.person.id, DismissReason(chosen), call.value("note"))
    return carry_out(call, tx, view, event)


def submit_resolve(call: Call, tx: Tx) -> list[Reply]:
    """Dealt with, and how."""
    return carry_out(call, tx, get_view(call, tx), Resolve(call.person.id, call.value("note")))


SLICE = Slice(
    "alerts",
    commands=(
        Command(
            "alerts",
            "[mine | all | closed] [health | targets | milestones | renewals] [ACCOUNT] "
            "or take | snooze | assign | dismiss | resolve | why | log ACCOUNT, or rules, or ledger [DAYS], "
            "or mute ACCOUNT|KIND|all until DATE [REASON], or unmute, or mutes, or settings [mine]",
            "See what needs somebody, and take care of it",
            handle_line,
            get_access,
            examples=(
                "alerts",
                "alerts all targets",
                "alerts acme",
                "alerts take acme",
                "alerts snooze acme next fri holidays",
                "alerts why acme",
                "alerts log acme",
                "alerts ledger 30",
                "alerts mute acme until 1 Sep merger",
                "alerts settings mine",
            ),
        ),
    ),
    buttons=(
        Button(TAKE, take, "writes"),
        Button(RESOLVE, resolve, "writes"),
        Button(SNOOZE, snooze, "writes"),
        Button(MORE, choose_more, "reads"),
        Button(OPEN, open_alert, "reads"),
        Button(BACK, turn_page, "reads"),
        Button(NEXT, turn_page, "reads"),
        Button(FILTER, turn_page, "reads"),
        *alert_waiting.BUTTONS,
        *alert_undo.BUTTONS,
        *alert_log.BUTTONS,
        *why.BUTTONS,
        *rules.BUTTONS,
        *mutes.BUTTONS,
        *noise.BUTTONS,
    ),
    forms=(
        Form(SNOOZE_FORM, submit_snooze),
        Form(ASSIGN_FORM, submit_assign),
        Form(DISMISS_FORM, submit_dismiss),
        Form(RESOLVE_FORM, submit_resolve),
        *mutes.FORMS,
        *noise.FORMS,
    ),
    renders={MESSAGE: render_alert_of, SUMMARY: render_summary_of}
    | alert_waiting.RENDERS
    | rules.RENDERS
    | ledger.RENDERS,
)
