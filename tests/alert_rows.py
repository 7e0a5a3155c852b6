"""Rows that tests of alerts start from, made by hand: accounts, members, scores and use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from sqlmodel import select

from rules.health.health import CAP, decide_band
from rules.records import AlertKind, Band, Severity
from storage.accounts.accounts import AccountRow
from storage.alerts.alerts import EpisodeRow
from storage.db import Database, Tx
from storage.delivery.outbox import OutboxRow
from storage.health.health import save_scores
from storage.health.usage import UsageEventRow
from storage.people.members import MemberRow
from tests.conftest import NOW

TODAY = date(2026, 3, 10)
WEIGHTS = {"utilisation": 15, "trend": 15, "breadth": 10, "targets": 20, "support": 10, "payment": 5}


def add_account(tx: Tx, name: str, **more: Any) -> AccountRow:
    """An account; its id is its name."""
    row = AccountRow(id=name, workspace_id=tx.workspace_id, name=name, slug=name, created_at=NOW, **more)
    tx.session.add(row)
    tx.session.flush()
    return row


def add_member(tx: Tx, slack_id: str, **more: Any) -> MemberRow:
    """A member; the id is Slack's id behind an "m-"."""
    row = MemberRow(id=f"m-{slack_id}", workspace_id=tx.workspace_id, slack_id=slack_id, name=slack_id.lower(), **more)
    tx.session.add(row)
    tx.session.flush()
    return row


def score_row(account_id: str, day: date, score: float | None, capped_by: str = "") -> dict[str, Any]:
    """A score of which every factor has the same value; capped as the rules cap it."""
    shown = min(score, CAP) if score is not None and capped_by else score
    return {
        "account_id": account_id,
        "day": day,
        "score": shown,
        "band": decide_band(shown, is_capped=bool(capped_by)) if shown is not None else Band.UNKNOWN,
        "coverage": 1.0 if score is not None else 0.2,
        "capped_by": capped_by,
        "model": "default-1",
        "factors": {
            name: {"x": score, "w": weight, "state": "present", "facts": {}}
            for name, weight in WEIGHTS.items()
            if score is not None
        },
    }


def add_scores(tx: Tx, account_id: str, scores: Mapping[date, float | None]) -> None:
    """Scores by day."""
    save_scores(tx, [score_row(account_id, day, score) for day, score in scores.items()])


def steady(last: date, score: float, days: int = 20) -> dict[date, float | None]:
    """The same score on each of the `days` up to `last`."""
    return {last - timedelta(days=back): score for back in range(days)}


def add_use(tx: Tx, account_id: str, days: Sequence[date]) -> None:
    """One event of use on each day."""
    for day in days:
        tx.session.add(
            UsageEventRow(
                workspace_id=tx.workspace_id,
                source="test",
                message_id=f"{account_id}-{day}",
                account_id=account_id,
                metric_key="logins",
                day=day,
            )
        )
    tx.session.flush()


def add_episode(tx: Tx, account_id: str, **more: Any) -> EpisodeRow:
    """An open, announced alert."""
    values = {
        "kind": AlertKind.HEALTH_DROP,
        "severity": Severity.HIGH,
        "level": 20.0,
        "rule_version": "drop-1",
        "opened_at": NOW,
        "announced_at": more.get("opened_at", NOW),
        "channel_id": "C0000001",
    }
    row = EpisodeRow(workspace_id=tx.workspace_id, account_id=account_id, **values | more)
    tx.session.add(row)
    tx.session.flush()
    return row


def add_sent(tx: Tx, kind: str, reference: str, seq: int = 1) -> None:
    """An outbox row as delivery leaves it after a post."""
    tx.session.add(
        OutboxRow(
            workspace_id=tx.workspace_id,
            seq=seq,
            kind=kind,
            reference=reference,
            channel="C0000001",
            dedupe_key=f"{kind}:{reference}:sent",
            state="sent",
            posted_channel="C0000001",
            slack_ts="1.000001",
            created_at=NOW,
            sent_at=NOW,
        )
    )
    tx.session.flush()


def list_outbox(database: Database, workspace_id: str) -> list[OutboxRow]:
    """Every outbox row, in order."""
    with database.reading(workspace_id) as tx:
        return sorted(tx.session.exec(select(OutboxRow)).all(), key=lambda row: row.seq)
