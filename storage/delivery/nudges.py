"""Telling delivery in other processes that something was put into the outbox. Owns PostgreSQL's NOTIFY, which goes out
with the commit; on SQLite the others find out at their next poll.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from sqlalchemy import text

from storage.db import Database, Tx

_CHANNEL = "milepost_outbox"
_LISTEN_SECONDS = 1.0


def nudge_others(tx: Tx) -> None:
    """When the transaction commits, tell all who listen."""
    if tx.is_postgres:
        tx.session.connection().execute(text(f"NOTIFY {_CHANNEL}"))


def listen(database: Database, on_nudge: Callable[[], None], is_over: threading.Event) -> None:
    """Call `on_nudge` after each commit of others that put something into the outbox, until `is_over`, from this
    thread, on a connection of its own. Returns when the connection breaks, and on SQLite at once.
    """
    if database.is_sqlite:
        return
    pooled = database.engine.raw_connection()
    connection = pooled.driver_connection
    pooled.detach()  # it is ours to close now, not the pool's to lend again
    if connection is None:
        return
    try:
        connection.autocommit = True
        connection.execute(f"LISTEN {_CHANNEL}")
        while not is_over.is_set():
            if list(connection.notifies(timeout=_LISTEN_SECONDS, stop_after=1)):
                on_nudge()
    finally:
        connection.close()
