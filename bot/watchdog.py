"""Watching that the tick goes on, from a thread of its own. Owns how late is too late and what a clock that was put
back means for the tick; refuses to know what is ticked.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

STALE_INTERVALS = 3


@dataclass
class Watchdog:
    """Looks at a tick once per interval.

    Args:
        interval: seconds between two ticks.
        read_age: seconds since the last tick.
        read_wall: wall time.
        on_stale: called once, in the watchdog's thread, when the last tick is older than 3 intervals.
        on_clock_back: called there when the wall clock was put back by more than an interval: what was to happen
            at a time of day would wait until that time comes again.
    """

    interval: float
    read_age: Callable[[], float]
    read_wall: Callable[[], datetime]
    on_stale: Callable[[], None]
    on_clock_back: Callable[[], None]
    _end: threading.Event = field(init=False, default_factory=threading.Event)

    def start(self) -> None:
        """Watch until `stop`."""
        threading.Thread(target=self._watch, name="scheduler-watchdog", daemon=True).start()

    def stop(self) -> None:
        """Look no more."""
        self._end.set()

    def _watch(self) -> None:
        """Two stale looks in a row: after the whole process was stopped for a while, the first one may be early."""
        stale, drift = 0, self._read_drift()
        while not self._end.wait(self.interval):
            if self._read_drift() < drift - self.interval:
                self.on_clock_back()
            drift = self._read_drift()
            stale = stale + 1 if self.read_age() > STALE_INTERVALS * self.interval else 0
            if stale > 1:
                self.on_stale()
                return

    def _read_drift(self) -> float:
        """Wall time against time that never jumps."""
        return self.read_wall().timestamp() - time.monotonic()
