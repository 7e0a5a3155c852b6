"""Settings of noise: what the workspace and single people chose. Owns their table, reading them in one query, and their
writes; refuses to know defaults and limits (`rules.alerts.noise_settings`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sqlmodel import Field, SQLModel, UniqueConstraint, select

from rules.alerts.noise_settings import DEFAULTS, ChangeNoise, Chosen, NoiseSettings, inherit
from rules.records import Actor, Change, Severity, Tier
from storage import audit
from storage.db import Tx
from storage.fields import json_value, key, moment, workspace

CHANGED = "noise.changed"


class NoiseSettingsRow(SQLModel, table=True):
    """What was chosen instead of what is inherited, by the name of the setting. `member_id` "" is the workspace."""

    __tablename__ = "noise_settings"
    __table_args__ = (UniqueConstraint("workspace_id", "member_id"),)

    id: str = key()
    workspace_id: str = workspace(has_index=False)
    member_id: str = Field(default="")
    chosen: dict[str, Any] = json_value(default_factory=dict)
    changed_at: datetime = moment()


def find_chosen(tx: Tx, member_id: str = "") -> Chosen:
    """What a person ("": the workspace) chose; empty where all is inherited."""
    row = _find(tx, member_id)
    return _read(row.chosen) if row else {}


def get_noise_settings(tx: Tx) -> tuple[NoiseSettings, dict[str, NoiseSettings]]:
    """The workspace's settings, and by member id those of everybody who chose any of their own. One query."""
    query = select(NoiseSettingsRow).where(NoiseSettingsRow.workspace_id == tx.workspace_id)
    chosen = {row.member_id: _read(row.chosen) for row in tx.session.exec(query)}
    home = inherit(DEFAULTS, chosen.pop("", {}))
    return home, {member_id: inherit(home, own) for member_id, own in chosen.items()}


def apply_noise_settings(tx: Tx, intent: ChangeNoise, actor: Actor, now: datetime) -> str:
    """Write what was chosen; returns the audit's line."""
    row = _find(tx, intent.member_id)
    before = dict(row.chosen) if row else {}
    row = row or NoiseSettingsRow(workspace_id=tx.workspace_id, member_id=intent.member_id, changed_at=now)
    row.chosen, row.changed_at = _dump(intent.chosen), now
    tx.session.add(row)
    tx.session.flush()
    after: dict[str, object] = dict(row.chosen)
    return audit.record(tx, Change(CHANGED, "noise", row.id, before=before, after=after), actor, now)


def _find(tx: Tx, member_id: str) -> NoiseSettingsRow | None:
    query = select(NoiseSettingsRow).where(
        NoiseSettingsRow.workspace_id == tx.workspace_id, NoiseSettingsRow.member_id == member_id
    )
    return tx.session.exec(query).first()


_READERS: Mapping[str, Callable[[Any], object]] = {
    "digest_tiers": lambda names: frozenset(map(Tier, names)),
    "at_once_from": Severity,
}


def _read(stored: Mapping[str, Any]) -> dict[str, object]:
    return {name: _READERS[name](value) if name in _READERS else value for name, value in stored.items()}


def _dump(chosen: Chosen) -> dict[str, Any]:
    """As JSON has them: sets as sorted lists."""
    return {name: sorted(value) if isinstance(value, frozenset) else value for name, value in chosen.items()}
