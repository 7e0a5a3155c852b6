"""What time alone does to alerts, every few minutes: snoozes end, nobody's alerts go up a level, who took one is asked,
the leads get their message of the day, and what was held is announced. Owns the order and the pages; refuses to decide
(`rules.alerts.alerts`, `rules.alerts.escalation`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from pipeline.announcing import announce
from pipeline.report import JobReport
from pipeline.scan import ACTOR as SCAN
from rules.alerts.alerts import ChangeEpisode, Woke, decide
from rules.alerts.escalation import decide_due
from rules.records import Actor
from storage.alerts.alert_writes import apply_alerts
from storage.alerts.alerts import EpisodeRow, to_episode
from storage.alerts.conditions import AccountConditions, list_conditions
from storage.alerts.escalations import list_due_leads, make_lead_messages
from storage.alerts.timers import DueTimer, list_due_timers, list_scenes, lock_episodes
from storage.alerts.watching import list_due_snoozes
from storage.db import Database, Tx

ACTOR = Actor.job("wake")
_PAGE = 100


def run(database: Database, workspace_id: str, now: datetime) -> JobReport:
    """Do what is due, in pages. Safe to repeat, and to stop anywhere: the rest is done the next time. A scan under way
    announces itself what it finds.
    """
    counts = run_clock(database, workspace_id, now)
    announce(database, workspace_id, now, unfinished=SCAN)
    return JobReport("wake", dict(counts))


def run_clock(database: Database, workspace_id: str, now: datetime) -> Counter[str]:
    """All but announcing: snoozes, then timers, then the leads; returns how often each transition was made."""
    counts: Counter[str] = Counter()
    while True:
        with database.writing(workspace_id) as tx:
            woken = _wake_page(tx, now)
        if not woken:
            break
        counts += woken
    counts += _run_timers(database, workspace_id, now)
    return counts + Counter(leads_told=_tell_leads(database, workspace_id, now))


def _tell_leads(database: Database, workspace_id: str, now: datetime) -> int:
    """Looked for without the writer's turn: all but a few times a day there is nobody to tell."""
    with database.reading(workspace_id) as tx:
        due = list_due_leads(tx, now)
    if not due:
        return 0
    with database.writing(workspace_id) as tx:
        return make_lead_messages(tx, due, now)


def _wake_page(tx: Tx, now: datetime) -> Counter[str]:
    rows = list_due_snoozes(tx, now)
    conditions = list_conditions(tx, sorted({row.account_id for row in rows}))
    intents = [
        each
        for row in rows
        for each in decide(to_episode(row), Woke(_is_firing(row, conditions.get(row.account_id, {}))), now)
    ]
    changed = apply_alerts(tx, intents, ACTOR, now)
    return Counter("woke" if row.closed_at is None else "cleared" for row in changed)


def _is_firing(row: EpisodeRow, conditions: AccountConditions) -> bool:
    condition = conditions.get((row.kind, row.subject))
    return condition is not None and condition.is_on


def _run_timers(database: Database, workspace_id: str, now: datetime) -> Counter[str]:
    """Each timer that is due acts once, on the alert as it stands when its turn comes."""
    with database.reading(workspace_id) as tx:
        timers = list_due_timers(tx, now)
    counts: Counter[str] = Counter()
    for at in range(0, len(timers), _PAGE):
        with database.writing(workspace_id) as tx:
            counts += run_timers(tx, timers[at : at + _PAGE], now)
    return counts


def run_timers(tx: Tx, timers: Sequence[DueTimer], now: datetime) -> Counter[str]:
    """Let timers act that were read before, maybe long ago; returns how often each transition was made."""
    dues = dict(timers)
    rows = lock_episodes(tx, dues)
    scenes = list_scenes(tx, rows, now)
    found = [decide_due(to_episode(row), dues[row.id], scenes[row.id], now) for row in rows]
    intents = [each for each in found if each is not None]
    apply_alerts(tx, intents, ACTOR, now)
    return Counter(each.verb for each in intents if isinstance(each, ChangeEpisode))
