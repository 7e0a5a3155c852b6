"""What one process of Milepost does. Owns the names of the roles and what belongs to each."""

from __future__ import annotations

from enum import StrEnum


class RunRole(StrEnum):
    """The part of the work a process takes: Slack's payloads, the outbox, the clock, or all of it."""

    ALL = "all"
    WEB = "web"
    WORKER = "worker"
    SCHEDULER = "scheduler"

    @property
    def is_web(self) -> bool:
        """Whether it takes Slack's payloads."""
        return self in {RunRole.ALL, RunRole.WEB}

    @property
    def is_worker(self) -> bool:
        """Whether it delivers the outbox."""
        return self in {RunRole.ALL, RunRole.WORKER}

    @property
    def is_scheduler(self) -> bool:
        """Whether it ticks and runs jobs."""
        return self in {RunRole.ALL, RunRole.SCHEDULER}
