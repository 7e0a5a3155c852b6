"""A Slack that notes what was posted when, and what had to be said: what walks over the outbox are measured by. Knows
nothing of rows, leases or slots.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count


@dataclass
class Copy:
    """A message that stands in Slack, as of a version of what it tells of."""

    name: str
    ts: str
    version: int


@dataclass
class Wish:
    """Something that had to be said."""

    name: str
    channel: str
    priority: int
    parent: str = ""
    version: int = 1
    is_over: bool = False
    # Its place in the order is not promised: others passed it while it was dead.
    is_loose: bool = False
    # A request for it lands after the look-up: until the sweep it may stand twice.
    may_double: bool = False


@dataclass(frozen=True)
class Drawn:
    """A claim, and what its message says: as of the claim."""

    at: timedelta
    version: int
    is_over: bool
    place: tuple[str, str] | None = None


@dataclass
class World:
    """What Slack shows, and what is on its way there."""

    copies: dict[str, list[Copy]] = field(default_factory=lambda: defaultdict(list))
    landing: list[tuple[timedelta, str, Copy]] = field(default_factory=list)
    said: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    last_post: dict[str, timedelta] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def post(self, wish: Wish, version: int, at: timedelta, delay: float) -> str:
        copy = Copy(wish.name, f"{next(self.numbers)}.000100", version)
        self.landing.append((at + timedelta(seconds=delay), wish.channel, copy))
        self.land(at)
        return copy.ts

    def land(self, at: timedelta) -> None:
        for each in [each for each in self.landing if each[0] <= at]:
            self.landing.remove(each)
            _, channel, copy = each
            self.copies[channel].append(copy)
            if copy.name not in self.said[channel]:
                self.said[channel].append(copy.name)

    def find(self, channel: str, name: str) -> list[Copy]:
        return [copy for copy in self.copies[channel] if copy.name == name]
