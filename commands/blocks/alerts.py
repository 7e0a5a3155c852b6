"""What an alert looks like: its message in every state, its line in a list, a line of its thread. Pure: rows in, blocks
out; refuses to look anything up (`commands.alerts.alert_views`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from slack_sdk.models.blocks import ButtonElement

from commands.blocks import data_alerts, health_alerts, journey_alerts, renewal_alerts, target_alerts
from commands.blocks.alert_looks import AlertView, Look
from commands.blocks.alert_noise import PLAIN, quiet_words, reader_words
from commands.blocks.alert_sources import source_words
from commands.blocks.alert_words import event_words, reason_words
from commands.blocks.targets import LOG_VALUE
from commands.kit import Element, Json, actions, button, clip, context, esc, mention, menu, message, overflow, section
from commands.slice import Message, Ref
from rules.alerts.alerts import ACCOUNT_GONE, GONE, NOTE_LENGTH
from rules.records import AlertKind, EpisodeState, Severity
from storage.alerts.alerts import AlertEventRow, EpisodeRow
from storage.people.members import MemberRow
from words.reader import Reader

TAKE, RESOLVE, SNOOZE, MORE, OPEN = "alerts.take", "alerts.resolve", "alerts.snooze", "alerts.more", "alerts.open"
SNOOZE_DAYS = (1, 3, 7)
UNTIL = "until"

LOOKS: Mapping[AlertKind, Look] = (
    health_alerts.LOOKS | data_alerts.LOOKS | renewal_alerts.LOOKS | target_alerts.LOOKS | journey_alerts.LOOKS
)
"""How each kind of alert looks."""


def render_alert(reader: Reader, view: AlertView) -> Message:
    """The whole message. Closed: one grey line."""
    line = alert_line(reader, view)
    if view.row.closed_at is not None:
        return message(line, context(line))
    look = LOOKS[view.row.kind]
    next_steps = "\n".join(f"• {step}" for step in look.next_steps(reader, view))
    return message(
        line,
        section(f"{line}\n{_people_words(reader, view)}"),
        section(f"*{reader.say('Why')}*  {look.why(reader, view)}"),
        context(source_words(reader, view, look)),
        section(f"*{reader.say('Next')}*\n{next_steps}"),
        _buttons(reader, view),
    )


def alert_line(reader: Reader, view: AlertView, *, is_listed: bool = False, is_in_digest: bool = False) -> str:
    """What and who, and where it stands; readable in a notification. A list does not say of a kind that is for digests
    alone that it is, and a digest not why something stands in it.
    """
    is_plain = is_listed and view.row.is_quiet and view.row.quiet_reason in PLAIN
    is_known = view.row.state is EpisodeState.OPEN and (is_in_digest or is_plain)
    return f"{_mark(view.row)} {_title(reader, view)}{'' if is_known else _standing(reader, view)}"


def _mark(row: EpisodeRow) -> str:
    marks = {
        EpisodeState.ACKED: "🟠",
        EpisodeState.SNOOZED: "⏸",
        EpisodeState.RESOLVED: "✓",
        EpisodeState.DISMISSED: "✕",
    }
    return marks.get(row.state) or ("🟡" if row.severity is Severity.NOTICE else "🔴")


def _title(reader: Reader, view: AlertView) -> str:
    return LOOKS[view.row.kind].title(reader, view)


def _standing(reader: Reader, view: AlertView) -> str:
    """What people did about it: the end of the line."""
    row = view.row
    match row.state:
        case EpisodeState.ACKED if row.taken_at:
            who = _who(reader, view.taker)
            taken = reader.say("taken by {who} {time}", who=who, time=reader.moment(row.taken_at))
            return f" — {taken}" + (", " + reader.say("still on it?") if row.asked_at else "")
        case EpisodeState.SNOOZED if row.snoozed_until:
            return " — " + reader.say("snoozed until {time}", time=reader.moment(row.snoozed_until))
        case EpisodeState.RESOLVED | EpisodeState.DISMISSED if row.closed_at:
            return " — " + _closed_words(reader, view) + " " + reader.moment(row.closed_at)
        case EpisodeState.OPEN if quiet := quiet_words(reader, row):
            return f" — {quiet}"
        case _:
            return _waiting(reader, row)


def _waiting(reader: Reader, row: EpisodeRow) -> str:
    """How long nobody has taken it, as far as that has consequences."""
    if row.escalated_to and row.escalated_at:
        time = reader.moment(row.escalated_at)
        words = {
            1: reader.say("nobody has taken it, reminded {time}", time=time),
            2: reader.say("nobody has taken it, it went to the lead {time}", time=time),
            3: reader.say("nobody has taken it, it went to the team {time}", time=time),
        }
        return " — " + words[row.escalated_to]
    return " — " + reader.say("open again: nobody is on it any more") if row.asked_at else ""


def _closed_words(reader: Reader, view: AlertView) -> str:
    row = view.row
    note = f" ({esc(clip(row.close_note, NOTE_LENGTH))})" if row.close_note else ""
    if row.state is EpisodeState.DISMISSED:
        why = reason_words(reader, row.close_reason)
        return reader.say("dismissed by {who}: {why}", who=_who(reader, view.closer), why=why) + note
    if row.closed_by:
        return reader.say("resolved by {who}", who=_who(reader, view.closer)) + note
    return {
        ACCOUNT_GONE: reader.say("closed: the account left"),
        GONE: reader.say("settled"),
    }.get(row.close_reason, reader.say("recovered"))


def _who(reader: Reader, member: MemberRow | None) -> str:
    return mention(member.slack_id) if member else reader.say("somebody who left")


def _people_words(reader: Reader, view: AlertView) -> str:
    parts = [reader_words(reader, view)]
    if view.renews_on:
        parts.append(reader.say("renews {day}", day=reader.date(view.renews_on)))
    return " · ".join([*parts, *filter(None, [view.worth])])


# ---------------------------------------------------------------- its thread


def render_event(reader: Reader, line: AlertEventRow, who: str, new_owner: str) -> Message:
    """One line in the alert's thread."""
    note = f": {esc(clip(line.note, NOTE_LENGTH))}" if line.note else ""
    verb = event_words(reader, line)
    to = f" → {new_owner}" if new_owner else ""
    return message(f"{verb}{to} · {who}{note}" if who else f"{verb}{to}{note}")


# ---------------------------------------------------------------- buttons


def _buttons(reader: Reader, view: AlertView) -> Json:
    """The kind's own buttons first, then what every alert has."""
    own = LOOKS[view.row.kind].buttons(reader, view)
    return actions(*_set_primary([*own, *_list_steps(reader, view.row, has_own=bool(own))]))


def _list_steps(reader: Reader, row: EpisodeRow, *, has_own: bool) -> list[Element]:
    ref = Ref("episode", row.id)
    menus = [snooze_menu(reader, row.id), _more_menu(reader, row)]
    if row.state is not EpisodeState.ACKED:
        return [button(reader.say("I'm on it"), TAKE, ref, style="primary"), *menus]
    resolve = button(reader.say("Resolve"), RESOLVE, ref)
    if has_own:
        return [resolve, *menus]
    log = button(reader.say("Log what you did"), LOG_VALUE, Ref("account", row.account_id), style="primary")
    return [log, resolve, *menus]


def _set_primary(elements: Sequence[Element]) -> Sequence[Element]:
    """One button is primary: the first that asks for it, else the first of all."""
    buttons = [each for each in elements if isinstance(each, ButtonElement)]
    chosen = next((each for each in buttons if each.style == "primary"), buttons[0])
    for each in buttons:
        each.style = "primary" if each is chosen else None if each.style == "primary" else each.style
    return elements


def snooze_menu(reader: Reader, episode_id: str) -> Any:
    """Some days at once, or a day of one's own."""
    choices = [(_dump(episode_id, days=str(days)), reader.span(days)) for days in SNOOZE_DAYS]
    until = (_dump(episode_id, days=UNTIL), reader.say("until …"))
    return menu(SNOOZE, reader.say("Snooze"), [*choices, until])


def _more_menu(reader: Reader, row: EpisodeRow) -> Any:
    labels = {
        "assign": reader.say("Assign…"),
        "dismiss": reader.say("Dismiss…"),
        "resolve": reader.say("Resolve…"),
        "why": reader.say("Why this alert?"),
        "account": reader.say("Open account"),
    }
    return overflow(MORE, [(_dump(row.id, do=do), label) for do, label in labels.items()])


def _dump(episode_id: str, **extra: str) -> str:
    return Ref("episode", episode_id, extra).dump()


def open_button(reader: Reader, episode_id: str) -> Any:
    """The button at the end of a line in a list."""
    return button(reader.say("Open"), OPEN, Ref("episode", episode_id))
