"""The two clocks: business time (may be moved, in the demo) and wall time (leases, pacing, Slack's own time).

Owns the only places that read the machine's clock; refuses to store anything.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


def read_wall() -> datetime:
    """The machine's time, in UTC."""
    return datetime.now(UTC)  # noqa: TID251  # one of the two clocks everybody else asks


@dataclass(frozen=True)
class Clocks:
    """`business` is the time customers live in, `wall` the time Slack and the database live in; both aware, UTC."""

    business: Callable[[], datetime]
    wall: Callable[[], datetime]


@dataclass
class MovableClock:
    """Business time that runs with `wall`, ahead of it by `offset`."""

    wall: Callable[[], datetime] = read_wall
    offset: timedelta = timedelta()

    def __call__(self) -> datetime:
        return self.wall() + self.offset

    def move_to(self, moment: datetime) -> timedelta:
        """Jump forward to an aware `moment` and return the new offset.

        Raises `ValueError` for a moment that has passed: what is recorded cannot lie in the future.
        """
        if moment < self():
            raise ValueError(f"business time cannot go back to {moment:%Y-%m-%d %H:%M}")
        self.offset = moment - self.wall()
        return self.offset


def real_clocks() -> Clocks:
    """Both clocks at the machine's time."""
    return Clocks(business=read_wall, wall=read_wall)
