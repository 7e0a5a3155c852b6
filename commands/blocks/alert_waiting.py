"""What is said when nobody takes an alert, or nothing happens to one that was taken: the reminder, the line in the
team's channel, the lead's message of the day, the question. Pure: rows in, blocks out; refuses to look anything up
(`commands.alerts.alert_waiting`).
"""

from __future__ import annotations

from collections.abc import Sequence

from commands.blocks.alert_looks import AlertView
from commands.blocks.alerts import RESOLVE, TAKE, alert_line, open_button, render_alert, snooze_menu
from commands.kit import Element, actions, button, context, section
from commands.slice import Message, Ref
from rules.records import EpisodeState
from words.reader import Reader

KEEP = "alerts.keep"
MOST = 20
"""Lines of the lead's message."""


def render_reminder(reader: Reader, view: AlertView) -> Message:
    """To its owner, or who looks after it: the alert itself. Taken or closed, one line."""
    line = alert_line(reader, view)
    if view.row.state is not EpisodeState.OPEN:
        return Message(line, (context(line),))
    asked = reader.say("Nobody has taken this alert yet. Is it yours?")
    return Message(f"{asked} {line}", (section(f"*{asked}*"), *render_alert(reader, view).blocks))


def render_escalation(reader: Reader, view: AlertView) -> Message:
    """To the team: one line, with what takes it."""
    line = alert_line(reader, view)
    if view.row.state is not EpisodeState.OPEN:
        return Message(line, (context(line),))
    return Message(line, (section(line), actions(_take_button(reader, view), open_button(reader, view.row.id))))


def render_lead_message(reader: Reader, views: Sequence[AlertView], count: int) -> Message:
    """To a lead: every alert that came to them and that nobody took, `count` in all."""
    title = reader.say_many(
        "Nobody has taken {count} alert: it is yours to give to somebody",
        "Nobody has taken {count} alerts: they are yours to give to somebody",
        count,
    )
    return _list_waiting(reader, title, views, count, "`/cs alerts all`")


def render_reminders(reader: Reader, views: Sequence[AlertView], count: int) -> Message:
    """To who looks after them: every alert they were reminded of and that nobody took since, `count` in all."""
    title = reader.say_many(
        "Nobody has taken {count} alert yet. Is it yours?",
        "Nobody has taken {count} alerts yet. Are they yours?",
        count,
    )
    return _list_waiting(reader, title, views, count, "`/cs alerts`")


def _list_waiting(reader: Reader, title: str, views: Sequence[AlertView], count: int, command: str) -> Message:
    lines = [section(alert_line(reader, each), accessory=open_button(reader, each.row.id)) for each in views[:MOST]]
    more = count - len(lines)
    more_words = reader.say("and {count} more: {command}", count=reader.number(more), command=command)
    rest = [context(more_words)] if more > 0 else []
    return Message(title, (section(f"*{title}*"), *lines, *rest))


def render_question(reader: Reader, view: AlertView, who: str, *, is_open: bool) -> Message:
    """To who took it, in its thread; `who` mentions them. Once it is answered the buttons are gone."""
    asked = reader.say("{who}: are you still on it? Nothing has happened for some working days.", who=who)
    if not is_open:
        return Message(asked, (section(asked),))
    ref = Ref("episode", view.row.id)
    keep = button(reader.say("Still on it"), KEEP, ref, style="primary")
    resolve = button(reader.say("Resolve"), RESOLVE, ref)
    hint = reader.say("Without an answer it is open for everybody again after two working days.")
    buttons = actions(keep, resolve, snooze_menu(reader, view.row.id))
    return Message(asked, (section(asked), buttons, context(hint)))


def _take_button(reader: Reader, view: AlertView) -> Element:
    return button(reader.say("I'm on it"), TAKE, Ref("episode", view.row.id), style="primary")
