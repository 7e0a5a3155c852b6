"""Mutes carried out on the alerts they cover, and taken off again. Owns doing it in pages that find what is left by
themselves, so that a run cut short is made good by the next one; refuses to decide (`rules.alerts.hushing`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rules.alerts.alerts import ChangeEpisode
from rules.alerts.hushing import mute, unmute
from rules.alerts.mutes import EndMute, Mute, find_cover
from rules.records import Actor
from storage.alerts.alert_writes import apply_alerts
from storage.alerts.alerts import EpisodeRow, to_episode
from storage.alerts.mutes import apply_mute, list_active, list_over, list_to_mute, list_to_release
from storage.db import Tx

PAGE = 100
"""Alerts changed in one transaction."""


def end_mutes(tx: Tx, actor: Actor, now: datetime) -> int:
    """End the mutes whose time has come; returns how many."""
    over = list_over(tx, now)
    for row in over:
        apply_mute(tx, EndMute(row.id), actor, now)
    return len(over)


def release_page(tx: Tx, actor: Actor, now: datetime) -> int:
    """Let a page of alerts speak again whose mute has ended, unless another one covers them; returns how many."""
    rows, mutes = list_to_release(tx, PAGE), list_active(tx, now)
    apply_alerts(tx, [_release(row, mutes) for row in rows], actor, now)
    return len(rows)


def silence_page(tx: Tx, actor: Actor, now: datetime) -> int:
    """Mute a page of open alerts that a mute covers and that are not muted yet; returns how many."""
    mutes = list_active(tx, now)
    rows = list_to_mute(tx, [each.scope for each in mutes], PAGE)
    covers = ((row, find_cover(mutes, row.account_id, row.kind)) for row in rows)
    intents = [mute(to_episode(row), cover.id) for row, cover in covers if cover is not None]
    apply_alerts(tx, intents, actor, now)
    return len(intents)


def _release(row: EpisodeRow, mutes: Sequence[Mute]) -> ChangeEpisode:
    other = find_cover(mutes, row.account_id, row.kind)
    return mute(to_episode(row), other.id) if other else unmute(to_episode(row), row.quiet_before)
