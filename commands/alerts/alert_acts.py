"""What a person does to one alert, whichever way they ask: rights, decision, change, answer. Owns the words of
refusals; refuses to decide what a state allows (`rules.alerts.alerts`).

A button carries only the alert's id: the alert, its account and the person's rights are read afresh each time.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from commands.access import require_on
from commands.alerts.alert_views import find_view
from commands.blocks.accounts import find_next_renewal
from commands.blocks.alert_looks import AlertView
from commands.blocks.alerts import alert_line, render_alert
from commands.kit import actions, button, message, section
from commands.slice import Call, Message, Ref, Replace, Reply, Surface, Whisper
from commands.typed import get_today
from rules.alerts.alerts import Assign, Dismiss, Event, Resolve, Snooze, Take, decide
from rules.alerts.refusals import ClosedError, TakenError
from rules.errors import StaleError
from rules.people.roles import Permission
from rules.records import EpisodeState
from storage.alerts.alert_writes import apply_alerts
from storage.alerts.alerts import get_episode, to_episode
from storage.db import Tx
from storage.people.members import MemberRow, get_members
from storage.renewals.contracts import list_contracts

UNDO = "alerts.undo"
_MORNING = time(9)
"""When a sleeping alert wakes, in the reader's zone."""


def get_view(call: Call, tx: Tx, episode_id: str = "") -> AlertView:
    """The alert that `episode_id`, else the call's reference, names. Raises `StaleError` where it is gone."""
    call.require(Permission.READ)
    wanted = episode_id or (call.ref.id if call.ref and call.ref.kind == "episode" else "")
    row = get_episode(tx, wanted)
    view = find_view(tx, call.reader, row.id)
    if view is None or view.account.archived_at is not None:
        raise StaleError("The account of this alert no longer exists. See `/cs alerts` for the others.")
    return view


def require(call: Call, tx: Tx, view: AlertView, permission: Permission = Permission.ACCOUNT_WRITE) -> None:
    """Raise unless the person may act on the alert: the account is theirs or nobody's, the alert is theirs, or they
    are a lead.
    """
    is_own = view.row.owner_id == call.person.id
    if is_own:
        call.require(permission)
    else:
        require_on(call, tx, permission, view.account)


def require_open(call: Call, view: AlertView) -> None:
    """Raise `StaleError`, with who closed it and when, unless the alert is open."""
    row = view.row
    if row.closed_at is None:
        return
    if not row.closed_by:
        raise StaleError(
            "Nothing was changed: this alert ended by itself, {time}.", time=call.reader.moment(row.closed_at)
        )
    sentence = {
        EpisodeState.DISMISSED: "Nothing was changed: this alert was dismissed by {who}, {time}.",
        EpisodeState.RESOLVED: "Nothing was changed: this alert was resolved by {who}, {time}.",
    }[row.state]
    raise StaleError(sentence, who=_name(call, view.closer), time=call.reader.moment(row.closed_at))


def act(call: Call, tx: Tx, view: AlertView, event: Event) -> AlertView:
    """Decide and apply; returns the alert as it is now. Its message in the channel follows by the outbox.

    Who comes at the same moment as somebody else waits for them, and then sees what they did.
    """
    require(call, tx, view, Permission.ASSIGN if isinstance(event, Assign) else Permission.ACCOUNT_WRITE)
    view = replace(view, row=get_episode(tx, view.row.id, is_locking=True))
    try:
        intents = decide(to_episode(view.row), event, call.now)
    except TakenError as error:
        raise _explain_taken(call, tx, error) from error
    except ClosedError:
        require_open(call, get_view(call, tx, view.row.id))
        raise
    apply_alerts(tx, intents, call.person.actor, call.now)
    return get_view(call, tx, view.row.id)


def carry_out(call: Call, tx: Tx, view: AlertView, event: Event) -> list[Reply]:
    """Act and answer; what hurts when it was meant for another alert can be undone from the answer."""
    return answer(call, act(call, tx, view, event), is_undoable=isinstance(event, Take | Resolve | Dismiss))


def answer(call: Call, view: AlertView, *, is_undoable: bool = False) -> list[Reply]:
    """What the person sees: their own copy changes in place, a form or command answers, a channel message follows by
    itself, with a whisper only where there is something to undo.
    """
    undo = [button(call.reader.say("Undo"), UNDO, Ref("episode", view.row.id, {"version": str(view.row.version)}))]
    if call.surface is Surface.EPHEMERAL:
        said = render_alert(call.reader, view)
        return [Replace(Message(said.text, (*said.blocks, actions(*undo))) if is_undoable else said)]
    line = alert_line(call.reader, view)
    if is_undoable:
        return [Whisper(message(line, section(line), actions(*undo)))]
    is_press = call.ref is not None and call.surface is Surface.MESSAGE
    return [] if is_press else [Whisper(message(line))]


def plan_snooze(call: Call, tx: Tx, view: AlertView, day: date, reason: str = "") -> Snooze:
    """A snooze until the morning of `day`, within the account's next decision date."""
    today = get_today(call, tx)
    renewal = find_next_renewal(list_contracts(tx, [view.account.id]).get(view.account.id, ()), today)
    not_past = renewal.decides_on if renewal and renewal.decides_on >= today else None
    until = datetime.combine(day, _MORNING, ZoneInfo(call.reader.zone))
    return Snooze(until, reason, not_past)


def _explain_taken(call: Call, tx: Tx, error: TakenError) -> StaleError:
    when = call.reader.moment(error.at)
    if error.by == call.person.id:
        return StaleError("You took this alert already, {time}.", time=when)
    member = get_members(tx, [error.by]).get(error.by)
    return StaleError("This alert is already taken by {who}, {time}.", who=_name(call, member), time=when)


def _name(call: Call, member: MemberRow | None) -> str:
    """A person in an error: a sentence without markup, as it may stand under a field of a form."""
    if member is None:
        return call.reader.say("somebody who left")
    return member.name or call.reader.say("a colleague")
