"""An alert as decisions see it. Owns this shape; refuses to decide (`alerts` and `escalation` beside it do)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rules.records import EpisodeState, Severity

OPEN_STATES = frozenset({EpisodeState.OPEN, EpisodeState.ACKED, EpisodeState.SNOOZED})


@dataclass(frozen=True)
class Episode:
    """One alert as far as decisions need it.

    `level` is how bad it was when last told of (`rules.alerts.signals`); `is_latched`: a person closed it while the
    condition went on, so it stays closed until that clears or worsens. `is_quiet`: listed, but not announced, for the
    `quiet_reason`. `owner_id`: whom it was assigned to; None: whoever owns the account. `asked_at`: when who took it
    was asked whether they are still on it; it stays until somebody answers or takes the alert. `escalation`,
    `escalated_to` and the timer are explained in `rules.alerts.escalation`.
    """

    id: str
    severity: Severity
    level: float
    state: EpisodeState
    version: int
    epoch: int
    owner_id: str | None = None
    taken_by: str | None = None
    taken_at: datetime | None = None
    snoozed_until: datetime | None = None
    closed_at: datetime | None = None
    is_latched: bool = False
    is_quiet: bool = False
    quiet_reason: str = ""
    announced_at: datetime | None = None
    asked_at: datetime | None = None
    escalation: Sequence[Mapping[str, Any]] = ()
    escalated_to: int = 0
    timer_step: str = ""
    timer_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether it still asks for something."""
        return self.state in OPEN_STATES
