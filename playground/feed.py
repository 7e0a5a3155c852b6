"""What happened in the workspace, in order, told to whoever listens.

Owns the order and who may see a change; refuses to know who listens (the page, events to apps, waiting scripts).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from playground.model import Json

KEPT_CHANGES = 10_000


@dataclass(frozen=True)
class Change:
    """One change; `seen_by` lists the people who see it, None means everybody."""

    number: int
    kind: str
    data: Json
    seen_by: frozenset[str] | None = None

    def is_seen_by(self, user_id: str) -> bool:
        """Whether it is shown to this person."""
        return self.seen_by is None or user_id in self.seen_by


@dataclass
class Feed:
    """Keeps the latest changes and calls its listeners at once, in order."""

    listeners: list[Callable[[Change], None]] = field(default_factory=list)
    changes: deque[Change] = field(default_factory=lambda: deque(maxlen=KEPT_CHANGES))
    last_number: int = 0

    def tell(self, kind: str, data: Json, seen_by: frozenset[str] | None = None) -> None:
        """Record a change and pass it on."""
        self.last_number += 1
        change = Change(self.last_number, kind, data, seen_by)
        self.changes.append(change)
        for listener in list(self.listeners):
            listener(change)

    def list_since(self, number: int, user_id: str) -> list[Change]:
        """Changes after `number` that this person sees."""
        return [change for change in self.changes if change.number > number and change.is_seen_by(user_id)]

    @contextmanager
    def follow(self) -> Iterator[asyncio.Queue[Change]]:
        """A queue of all changes from now on, until the block ends."""
        queue: asyncio.Queue[Change] = asyncio.Queue()
        self.listeners.append(queue.put_nowait)
        try:
            yield queue
        finally:
            self.listeners.remove(queue.put_nowait)
