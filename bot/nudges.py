"""Hearing from other processes that there is something to deliver. Owns the thread that listens and that it goes on
after a connection broke; where it cannot, delivery's own poll finds everything a second later.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from storage.db import Database
from storage.delivery.nudges import listen

_AGAIN_SECONDS = 5.0
_log = structlog.get_logger(__name__)


@dataclass
class Listener:
    """Calls `on_nudge` from its own thread."""

    database: Database
    on_nudge: Callable[[], None]
    _is_over: threading.Event = field(init=False, default_factory=threading.Event)

    def start(self) -> None:
        """Listen until `stop`; on SQLite there is nothing to listen to."""
        if not self.database.is_sqlite:
            threading.Thread(target=self._listen, name="nudges", daemon=True).start()

    def stop(self) -> None:
        """Listen no more (within a second)."""
        self._is_over.set()

    def _listen(self) -> None:
        while not self._is_over.is_set():
            try:
                listen(self.database, self.on_nudge, self._is_over)
            except Exception as error:  # noqa: BLE001  # a broken connection, whatever the driver calls it
                _log.warning("not listening", error=type(error).__name__)
            self._is_over.wait(_AGAIN_SECONDS)
