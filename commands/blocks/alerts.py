"""What an alert looks like: its message in every state, its line in a list, the sum behind it. Pure: rows in, blocks
out; refuses to look anything up (`commands.alerts.alert_views`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from commands.blocks.accounts import shown_name
from commands.blocks.alert_words import (
    list_next_steps,
    reason_words,
    rule_words,
    verb_words,
)
from commands.blocks.health import capped_words, factor_name
from commands.blocks.targets import LOG_VALUE
from commands.kit import Json, actions, button, clip, context, esc, mention, menu, message, overflow, section
from commands.slice import Message, Ref
from rules.alerts.alerts import NOTE_LENGTH
from rules.health.contributions import KNOCK_OUT, round_to_sum
from rules.health.health import show_score
from rules.records import AlertKind, EpisodeState, Severity
from storage.accounts.accounts import AccountRow
from storage.alerts.alerts import AlertEventRow, EpisodeRow
from storage.people.members import MemberRow
from words.reader import Reader

TAKE, RESOLVE, SNOOZE, MORE, OPEN = "alerts.take", "alerts.resolve", "alerts.snooze", "alerts.more", "alerts.open"
SNOOZE_DAYS = (1, 3, 7)
UNTIL = "until"
_LEAST_SHOWN = 0.05
"""Contributions of less than this many points are left out."""

Facts = Mapping[str, Any]


@dataclass(frozen=True)
class AlertView:
    """An alert with everything its message tells; people are None where nobody is meant or they are gone."""

    row: EpisodeRow
    account: AccountRow
    owner: MemberRow | None = None
    taker: MemberRow | None = None
    closer: MemberRow | None = None
    renews_on: date | None = None
    worth: str = ""

    @property
    def facts(self) -> Facts:
        """Why it fired."""
        return self.row.facts


def render_alert(reader: Reader, view: AlertView) -> Message:
    """The whole message. Closed: one grey line."""
    line = alert_line(reader, view)
    if view.row.closed_at is not None:
        return message(line, context(line))
    next_steps = "\n".join(f"• {step}" for step in list_next_steps(reader, view.row.kind, view.facts))
    return message(
        line,
        section(f"{line}\n{_people_words(reader, view)}"),
        section(f"*{reader.say('Why')}*  {_why_words(reader, view)}"),
        context(_source_words(reader, view)),
        section(f"*{reader.say('Next')}*\n{next_steps}"),
        _buttons(reader, view.row),
    )


def alert_line(reader: Reader, view: AlertView) -> str:
    """What and who, and where it stands; readable in a notification."""
    return f"{_mark(view.row)} {_title(reader, view)}{_standing(reader, view)}"


def _mark(row: EpisodeRow) -> str:
    marks = {
        EpisodeState.ACKED: "🟠",
        EpisodeState.SNOOZED: "⏸",
        EpisodeState.RESOLVED: "✓",
        EpisodeState.DISMISSED: "✕",
    }
    return marks.get(row.state) or ("🟡" if row.severity is Severity.NOTICE else "🔴")


def _title(reader: Reader, view: AlertView) -> str:
    name, facts = f"*{shown_name(view.account)}*", view.facts
    match view.row.kind:
        case AlertKind.HEALTH_DROP:
            before, after = _shown(facts, "before"), _shown(facts, "after")
            span = reader.span(int(facts.get("days", 0)))
            return reader.say("{name} health fell {before} → {after} in {span}", **_named(name, before, after, span))
        case AlertKind.HEALTH_RED:
            return reader.say("{name} health is red: {score}", name=name, score=_shown(facts, "score"))
        case AlertKind.SILENCE:
            day, count = _day(reader, facts, "last_use"), int(facts.get("working_days", 0))
            return reader.say_many(
                "{name} is silent: last use {day}, {count} working day ago",
                "{name} is silent: last use {day}, {count} working days ago",
                count,
                name=name,
                day=day,
            )


def _named(name: str, before: int, after: int, span: str) -> dict[str, object]:
    return {"name": name, "before": before, "after": after, "span": span}


def _standing(reader: Reader, view: AlertView) -> str:
    """What people did about it: the end of the line."""
    row = view.row
    match row.state:
        case EpisodeState.ACKED if row.taken_at:
            who = _who(reader, view.taker)
            return " — " + reader.say("taken by {who} {time}", who=who, time=reader.moment(row.taken_at))
        case EpisodeState.SNOOZED if row.snoozed_until:
            return " — " + reader.say("snoozed until {time}", time=reader.moment(row.snoozed_until))
        case EpisodeState.RESOLVED | EpisodeState.DISMISSED if row.closed_at:
            return " — " + _closed_words(reader, view) + " " + reader.moment(row.closed_at)
        case _:
            return ""


def _closed_words(reader: Reader, view: AlertView) -> str:
    row = view.row
    note = f" ({esc(clip(row.close_note, NOTE_LENGTH))})" if row.close_note else ""
    if row.state is EpisodeState.DISMISSED:
        why = reason_words(reader, row.close_reason)
        return reader.say("dismissed by {who}: {why}", who=_who(reader, view.closer), why=why) + note
    if row.closed_by:
        return reader.say("resolved by {who}", who=_who(reader, view.closer)) + note
    return reader.say("closed: the account left") if row.close_reason == "account_gone" else reader.say("recovered")


def _who(reader: Reader, member: MemberRow | None) -> str:
    return mention(member.slack_id) if member else reader.say("somebody who left")


def _people_words(reader: Reader, view: AlertView) -> str:
    owner = mention(view.owner.slack_id) if view.owner else reader.say("no owner")
    parts = [owner]
    if view.renews_on:
        parts.append(reader.say("renews {day}", day=reader.date(view.renews_on)))
    return " · ".join([*parts, *filter(None, [view.worth])])


# ---------------------------------------------------------------- why


def _why_words(reader: Reader, view: AlertView) -> str:
    match view.row.kind:
        case AlertKind.HEALTH_DROP:
            return share_words(reader, view.facts)
        case AlertKind.HEALTH_RED:
            lowest = [_factor_words(reader, each) for each in view.facts.get("factors", [])[:3]]
            cap = [capped_words(reader, view.facts["capped_by"])] if view.facts.get("capped_by") else []
            return " · ".join([*cap, *lowest]) or reader.say("no factor is known")
        case AlertKind.SILENCE:
            return reader.say(
                "no use since {day}, while others used the product until {until}",
                day=_day(reader, view.facts, "last_use"),
                until=_day(reader, view.facts, "data_day"),
            )


def share_words(reader: Reader, facts: Facts) -> str:
    """The contributions in whole points, the largest first; they add up to the change in the first line."""
    shares = {each["factor"]: each for each in facts.get("shares", []) if abs(each["points"]) >= _LEAST_SHOWN}
    total = _shown(facts, "after") - _shown(facts, "before")
    points = round_to_sum({name: each["points"] for name, each in shares.items()}, total)
    ordered = sorted(shares.values(), key=lambda each: -abs(each["points"]))
    parts = [_share_words(reader, facts, each, points[each["factor"]]) for each in ordered]
    return " · ".join(parts) + f"  = {reader.signed(total)}"


def _share_words(reader: Reader, facts: Facts, share: Facts, points: int) -> str:
    if share["factor"] == KNOCK_OUT:
        cap = facts.get("capped_by") or facts.get("capped_before") or ""
        return f"{capped_words(reader, cap)} {reader.signed(points)}"
    moved = f"{round(share['before'])} → {round(share['after'])}"
    return f"{factor_name(reader, share['factor'])} {reader.signed(points)} ({moved})"


def _factor_words(reader: Reader, factor: Facts) -> str:
    return reader.say("{factor} {x} of 100", factor=factor_name(reader, factor["factor"]), x=round(factor["x"]))


def _source_words(reader: Reader, view: AlertView) -> str:
    """Rule and version, age of the data, coverage."""
    parts = [reader.say("rule {rule}", rule=view.row.rule_version)]
    if view.facts.get("data_day"):
        parts.append(reader.say("usage up to {day}", day=_day(reader, view.facts, "data_day")))
    if view.facts.get("day"):
        parts.append(reader.say("score of {day}", day=_day(reader, view.facts, "day")))
    if view.facts.get("coverage") is not None:
        percent = round(Decimal(str(view.facts["coverage"])) * 100)
        parts.append(reader.say("coverage {share}", share=reader.quantity(percent, "%")))
    return " · ".join(parts)


def render_why(reader: Reader, view: AlertView, history: list[AlertEventRow], names: Mapping[str, str]) -> list[Json]:
    """The whole calculation and what happened since: the blocks of a form that is only read."""
    rule = rule_words(reader, view.row.kind)
    lines = [f"• {line}" for line in _sum_lines(reader, view)]
    told = [_history_words(reader, each, names) for each in history[-10:]]
    blocks = [section(f"{alert_line(reader, view)}\n{rule}")]
    if lines:
        blocks.append(section("\n".join(lines)))
    return [*blocks, context(_source_words(reader, view)), section("\n".join(told))] if told else blocks


def _sum_lines(reader: Reader, view: AlertView) -> list[str]:
    facts = view.facts
    if view.row.kind is not AlertKind.HEALTH_DROP:
        return [_why_words(reader, view)]
    shares = facts.get("shares", [])
    total = sum(each["weight"] for each in shares) or 1
    lines = [_sum_line(reader, facts, each, total) for each in shares]
    before, after = (_exact(reader, float(facts[side])) for side in ("before", "after"))
    days = reader.say("{day} and {later}", day=_day(reader, facts, "from_day"), later=_day(reader, facts, "day"))
    lines.append(reader.say("On the factors known on both {days}: {before} → {after}", **_sides(days, before, after)))
    stored = (facts.get("score_before"), facts.get("score"))
    if all(each is not None for each in stored):
        old, new = (_exact(reader, float(each)) for each in stored if each is not None)
        lines.append(reader.say("The scores of these days, on all factors: {before} → {after}", before=old, after=new))
    return lines


def _sides(days: str, before: str, after: str) -> dict[str, object]:
    return {"days": days, "before": before, "after": after}


def _sum_line(reader: Reader, facts: Facts, share: Facts, total: float) -> str:
    if share["factor"] == KNOCK_OUT:
        return _share_words(reader, facts, share, round(share["points"]))
    name, points = factor_name(reader, share["factor"]), _exact(reader, share["points"])
    before, after = _exact(reader, share["before"]), _exact(reader, share["after"])
    return f"{name}: ({after} − {before}) × {share['weight']:g} / {total:g} = {points}"


def _history_words(reader: Reader, line: AlertEventRow, names: Mapping[str, str]) -> str:
    who = names.get(line.actor_id) or reader.say("Milepost")
    note = f": {esc(clip(line.note, NOTE_LENGTH))}" if line.note else ""
    return f"{reader.moment(line.at)} · {verb_words(reader, line.verb)} · {who}{note}"


def render_event(reader: Reader, line: AlertEventRow, who: str, new_owner: str) -> Message:
    """One line in the alert's thread."""
    note = f": {esc(clip(line.note, NOTE_LENGTH))}" if line.note else ""
    verb = verb_words(reader, line.verb)
    to = f" → {new_owner}" if new_owner else ""
    return message(f"{verb}{to} · {who}{note}" if who else f"{verb}{to}{note}")


# ---------------------------------------------------------------- buttons


def _buttons(reader: Reader, row: EpisodeRow) -> Json:
    ref = Ref("episode", row.id)
    if row.state is EpisodeState.ACKED:
        first = [
            button(reader.say("Log what you did"), LOG_VALUE, Ref("account", row.account_id), style="primary"),
            button(reader.say("Resolve"), RESOLVE, ref),
        ]
    else:
        first = [button(reader.say("I'm on it"), TAKE, ref, style="primary")]
    return actions(*first, _snooze_menu(reader, row.id), _more_menu(reader, row))


def _snooze_menu(reader: Reader, episode_id: str) -> Any:
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


def _shown(facts: Facts, name: str) -> int:
    return show_score(float(facts.get(name) or 0))


def _exact(reader: Reader, value: float) -> str:
    return reader.number(round(Decimal(str(value)), 1))


def _day(reader: Reader, facts: Facts, name: str) -> str:
    found = facts.get(name)
    return reader.date(date.fromisoformat(found)) if found else "—"
