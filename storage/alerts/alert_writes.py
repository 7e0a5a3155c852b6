"""Writes of alerts: intents carried out with history, audit and outbox together. Owns the one way to change an alert;
refuses to decide (`rules.alerts.alerts`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from rules.alerts.alerts import ChangeEpisode, Fired, Intent, OpenEpisode, RefreshEpisode
from rules.alerts.escalation import SetTimer
from rules.errors import StaleError
from rules.records import Actor, Change, Enqueue
from storage.alerts.alerts import HISTORY, MESSAGE, AlertEventRow, EpisodeRow, list_updates
from storage.alerts.escalations import list_reminders
from storage.alerts.questions import ASKED, find_channel_to_ask, list_answered
from storage.alerts.timers import lock_episodes, set_timers
from storage.audit import record
from storage.db import Tx
from storage.delivery.outbox import enqueue


@dataclass(frozen=True)
class _Hand:
    """Who changes, and when."""

    actor: Actor
    at: datetime


@dataclass(frozen=True)
class _Deed:
    """What was done to one alert; `intent` is None for one that was opened."""

    row: EpisodeRow
    verb: str
    before: dict[str, Any]
    after: dict[str, Any]
    intent: ChangeEpisode | None = None


def apply_alerts(tx: Tx, intents: Sequence[Intent | SetTimer], actor: Actor, now: datetime) -> list[EpisodeRow]:
    """Carry the intents out: rows, timers, history, audit and outbox together. Returns the alerts that changed, as they
    are.

    Raises `StaleError` when one of them was changed since it was read; then nothing may be committed.
    """
    locked = _lock(tx, [each.episode_id for each in intents if not isinstance(each, OpenEpisode)])
    deeds: list[_Deed] = []
    for intent in intents:
        match intent:
            case OpenEpisode():
                deeds.append(_open(tx, intent.fired, now))
            case ChangeEpisode():
                deeds.append(_change(tx, _checked(locked, intent), intent))
            case RefreshEpisode():
                _refresh(tx, locked.get(intent.episode_id), intent)
            case SetTimer():
                _write(tx, _checked(locked, intent), intent.values)
    set_timers(tx, [each.row for each in deeds if each.intent is None or each.intent.is_rearmed], now)
    tx.session.flush()  # the alerts' rows first, all at once: their history refers to them
    said = [said for each in deeds for said in _remember(tx, each, _Hand(actor, now))]
    said += list_reminders(tx, [each.row for each in deeds if each.verb == "escalated"])
    tx.session.flush()
    enqueue(tx, said, now)
    return [each.row for each in deeds]


def _lock(tx: Tx, episode_ids: Sequence[str]) -> dict[str, EpisodeRow]:
    return {row.id: row for row in lock_episodes(tx, episode_ids)} if episode_ids else {}


def _checked(locked: Mapping[str, EpisodeRow], intent: ChangeEpisode | SetTimer) -> EpisodeRow:
    row = locked.get(intent.episode_id)
    if row is None or row.version != intent.version:
        raise StaleError("Somebody changed this alert just now. Nothing was changed: look at it again.")
    return row


def _refresh(tx: Tx, row: EpisodeRow | None, intent: RefreshEpisode) -> None:
    """What was changed meanwhile keeps its change, and has the new facts all the same."""
    if row is not None and row.closed_at is None and row.facts != dict(intent.facts):
        row.facts = dict(intent.facts)
        tx.session.add(row)


def _open(tx: Tx, fired: Fired, now: datetime) -> _Deed:
    row = EpisodeRow(
        workspace_id=tx.workspace_id,
        account_id=fired.account_id,
        kind=fired.kind,
        subject=fired.subject,
        severity=fired.severity,
        level=fired.level,
        rule_version=fired.rule_version,
        facts=dict(fired.facts),
        opened_at=now,
        batch=fired.batch,
        is_quiet=fired.is_quiet,
        quiet_reason=fired.quiet_reason,
    )
    tx.session.add(row)
    return _Deed(row, "opened", {}, _plain({"severity": row.severity, "level": row.level, "facts": row.facts}))


def _change(tx: Tx, row: EpisodeRow, intent: ChangeEpisode) -> _Deed:
    before = _plain({name: getattr(row, name) for name in intent.values})
    _write(tx, row, intent.values)
    row.version += 1
    return _Deed(row, intent.verb, before, _plain(intent.values), intent)


def _write(tx: Tx, row: EpisodeRow, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        setattr(row, name, value)
    tx.session.add(row)


def _remember(tx: Tx, deed: _Deed, hand: _Hand) -> list[Enqueue]:
    """One line of history and one of audit; returns what is to be said. An alert that will be announced anew leaves its
    old message as it was, with a line in the thread: the new one speaks from now on.
    """
    row, intent = deed.row, deed.intent
    line = AlertEventRow(
        workspace_id=tx.workspace_id,
        episode_id=row.id,
        at=hand.at,
        actor_kind=hand.actor.kind,
        actor_id=hand.actor.id,
        verb=deed.verb,
        version=row.version,
        before=deed.before,
        after=deed.after,
        note=intent.note if intent else "",
    )
    tx.session.add(line)
    change = Change(f"alert.{deed.verb}", "episode", row.id, row.account_id, deed.before or None, deed.after)
    record(tx, change, hand.actor, hand.at)
    return _list_said(tx, row, intent, line) if intent else []


def _list_said(tx: Tx, row: EpisodeRow, intent: ChangeEpisode, line: AlertEventRow) -> list[Enqueue]:
    said = [] if intent.is_announced_anew else list_updates(row)
    if line.before.get("asked_at"):
        said += list_answered(tx, row)
    if intent.is_told:
        channel = find_channel_to_ask(tx, row) if intent.verb == ASKED else ""
        said.append(Enqueue(HISTORY, line.id, channel, thread_kind=MESSAGE, thread_reference=row.told_in, priority=1))
    return said


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values as JSON has them."""
    return {name: _plain_value(value) for name, value in values.items()}


def _plain_value(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    return value.isoformat() if isinstance(value, datetime) else value
