"""The columns of an alert that say where it stands: open, closed, what the news are. Owns these values; refuses to
decide when they change (`rules.alerts.alerts`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from rules.records import EpisodeState, QuietReason, Severity

Values = dict[str, object]
BY_NOISE = frozenset({QuietReason.TIER, QuietReason.SEVERITY, QuietReason.BUDGET, QuietReason.CHANNEL})
"""Why an alert that its rule would tell of at once is quiet all the same."""
BY_BUDGET = frozenset({QuietReason.BUDGET, QuietReason.CHANNEL})
"""Those of them that nobody wished for: enough was told that day. The digest tells of it, and from then on it waits."""


def news_values(severity: Severity, level: float, facts: Mapping[str, object], rule_version: str) -> Values:
    """What was observed, as it is told from now on."""
    return {"severity": severity, "level": level, "facts": dict(facts), "rule_version": rule_version}


def open_values() -> Values:
    """It waits for somebody, and nobody has it."""
    return {
        "state": EpisodeState.OPEN,
        "snoozed_until": None,
        "taken_by": None,
        "taken_at": None,
        "asked_at": None,
        "is_latched": False,
    } | _closing(None, "", "", "")


def taken_values(now: datetime, by: str, *, was_of: str | None) -> Values:
    """Somebody has it. One that was assigned is theirs from then on, not that of who was to have it."""
    owned = {"owner_id": by} if was_of else {}
    return open_values() | {"state": EpisodeState.ACKED, "taken_by": by, "taken_at": now} | owned


def quiet_values(is_quiet: bool, reason: str) -> Values:  # noqa: FBT001  # a column's value, not a switch
    """As its condition has it, as if nobody had decided yet how loud it is."""
    return {
        "is_quiet": is_quiet,
        "quiet_reason": reason,
        "quiet_before": "",
        "muted_by": None,
        "held_until": None,
    }


def closed_values(now: datetime, state: EpisodeState, by: str, reason: str, note: str) -> Values:
    """It is over. A person's close latches; the condition's own end does not."""
    values = _closing(now, by, reason, note)
    return values | {"state": state, "snoozed_until": None, "asked_at": None, "is_latched": bool(by)}


def _closing(at: datetime | None, by: str, reason: str, note: str) -> Values:
    return {"closed_at": at, "closed_by": by or None, "close_reason": reason, "close_note": note}
