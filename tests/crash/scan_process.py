"""A scan in a process of its own, so that it can be killed: `python scan_process.py URL WORKSPACE ISO_MOMENT`.

Prints a line before each transaction is committed; the test kills it there.
"""

from __future__ import annotations

import sys
from datetime import datetime

from sqlalchemy import event

import storage.schema  # noqa: F401  # all tables, as the bot has them: they refer to one another
from pipeline import scan
from storage.db import Database


def main() -> None:
    """Scan, telling of each commit."""
    url, workspace_id, moment = sys.argv[1:4]
    database = Database(url)

    @event.listens_for(database.engine, "commit")
    def _tell(_connection: object) -> None:
        sys.stdout.write("commit\n")
        sys.stdout.flush()
        sys.stdin.readline()

    scan.run(database, workspace_id, datetime.fromisoformat(moment))
    database.close()


if __name__ == "__main__":
    main()
