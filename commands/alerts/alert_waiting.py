"""Alerts that nobody takes, and alerts taken of which nothing is heard: the messages about them as the outbox asks for
them, and the answer "still on it". Owns looking up what these messages name; refuses to lay out
(`commands.blocks.alert_waiting`).

A message that was not sent yet is dropped when somebody took the alert meanwhile; one that was sent is shown anew.
"""

from __future__ import annotations

from commands.alerts.alert_acts import carry_out, get_view
from commands.alerts.alert_views import find_view, load_views, render_event_of
from commands.blocks.alert_waiting import (
    KEEP,
    MOST,
    render_escalation,
    render_lead_message,
    render_question,
    render_reminder,
    render_reminders,
)
from commands.kit import mention
from commands.slice import Button, Call, Message, Render, Reply
from rules.alerts.alerts import Keep
from rules.records import EpisodeState
from storage.alerts.alerts import ESCALATION, HISTORY, REMINDER, AlertEventRow, find_event
from storage.alerts.escalations import LEADS, REMINDERS, find_lead_message, list_reminded, list_waiting_for_leads
from storage.alerts.questions import ASKED, find_question
from storage.db import Tx
from storage.delivery.outbox import find_posted
from storage.people.members import find_member
from words.reader import Reader


def keep(call: Call, tx: Tx) -> list[Reply]:
    """Still on it: the days count anew."""
    return carry_out(call, tx, get_view(call, tx), Keep())


def render_reminder_of(reference: str, tx: Tx, reader: Reader) -> Message | None:
    """The reminder about the alert `reference`."""
    view = find_view(tx, reader, reference)
    if view is None or _is_outdated(tx, REMINDER, reference, view.row.state):
        return None
    return render_reminder(reader, view)


def render_escalation_of(reference: str, tx: Tx, reader: Reader) -> Message | None:
    """The line in the team's channel about the alert `reference`."""
    view = find_view(tx, reader, reference)
    if view is None or _is_outdated(tx, ESCALATION, reference, view.row.state):
        return None
    return render_escalation(reader, view)


def render_lead_message_of(reference: str, tx: Tx, reader: Reader) -> Message | None:
    """A lead's message of a day, with what waits for them now."""
    rows = list_waiting_for_leads(tx) if find_lead_message(tx, reference) else []
    views = load_views(tx, reader, rows[:MOST])
    return render_lead_message(reader, views, len(rows)) if views else None


def render_reminders_of(reference: str, tx: Tx, reader: Reader) -> Message | None:
    """The reminder of several alerts to the member `reference`, with those that wait for them now."""
    rows = list_reminded(tx, reference)
    views = load_views(tx, reader, rows[:MOST])
    return render_reminders(reader, views, len(rows)) if views else None


def render_history_of(reference: str, tx: Tx, reader: Reader) -> Message | None:
    """A line of an alert's thread: what happened, or a question."""
    line = find_event(tx, reference)
    if line is not None and line.verb == ASKED:
        return _render_question(line, tx, reader)
    return render_event_of(reference, tx, reader)


def _render_question(line: AlertEventRow, tx: Tx, reader: Reader) -> Message | None:
    """It has buttons as long as somebody waits for the answer."""
    view, latest = find_view(tx, reader, line.episode_id), find_question(tx, line.episode_id)
    if view is None:
        return None
    is_asked = view.row.state is EpisodeState.ACKED and view.row.asked_at is not None
    asked = find_member(tx, str(line.after.get("owner_id") or line.after.get("taken_by") or ""))
    who = mention(asked.slack_id) if asked else reader.say("somebody who left")
    return render_question(reader, view, who, is_open=is_asked and latest is not None and latest.id == line.id)


def _is_outdated(tx: Tx, kind: str, reference: str, state: EpisodeState) -> bool:
    return state is not EpisodeState.OPEN and find_posted(tx, kind, reference) is None


BUTTONS = (Button(KEEP, keep, "writes"),)
RENDERS: dict[str, Render] = {
    HISTORY: render_history_of,
    REMINDER: render_reminder_of,
    REMINDERS: render_reminders_of,
    ESCALATION: render_escalation_of,
    LEADS: render_lead_message_of,
}
