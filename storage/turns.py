"""Turns: a lock that is given to who waited longest, people before jobs. Owns fairness among the threads of one
process, nothing else.

A `threading.Lock` goes to whoever asks first after its release: nearly always the thread that just released it.
"""

from __future__ import annotations

import threading
from collections import deque


class Turns:
    """One turn at a time: first come first served among those `is_first`, then among the others."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._waiting: deque[threading.Event] = deque()
        self._first: deque[threading.Event] = deque()
        self._is_taken = False

    def take(self, wait_seconds: float, *, is_first: bool = False) -> bool:
        """Wait for a turn, ahead of all others with `is_first`; False if none came within `wait_seconds`."""
        line = self._first if is_first else self._waiting
        with self._guard:
            if not self._is_taken:
                self._is_taken = True
                return True
            mine = threading.Event()
            line.append(mine)
        if mine.wait(wait_seconds):
            return True
        with self._guard:
            if mine.is_set():  # it came in the very moment we gave up
                return True
            line.remove(mine)
            return False

    def give_back(self) -> None:
        """Pass the turn on. Only who has the turn may call it."""
        with self._guard:
            line = self._first or self._waiting
            if line:
                line.popleft().set()
            else:
                self._is_taken = False
