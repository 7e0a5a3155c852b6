"""A watch over every statement that storage sends while tests run: each must name the workspace of each table it reads
or changes, and lock rows in the order of their key, so that no two wait for each other in a circle. Owns these checks
and the short list of what may do without; what tests send themselves is their own affair.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from storage.schema import METADATA

ROOT = Path(__file__).resolve().parent.parent
SCOPED = frozenset(table.name for table in METADATA.sorted_tables if "workspace_id" in table.columns)
# Functions above the workspaces, with the reason.
ABOVE = {
    ("storage/delivery/schedules.py", "next_due"): "the clock of the demo steps to what is due in any workspace",
    ("storage/soundness.py", "count_rows"): "an admin asks what is in a database, whoever it belongs to",
}
_KEYS = frozenset(
    ", ".join(f"{table.name}.{column.name}" for column in table.primary_key) for table in METADATA.sorted_tables
)
_ONE_ROW = re.compile(r"\.(?:id|name|external_id|schedule_id) = %\(")
_ORDER = re.compile(r"ORDER BY (?:(?!ORDER BY).)*?(?=\s+LIMIT|\s+FOR UPDATE)", re.DOTALL)
_SOURCE = re.compile(r"(?:\b(?:FROM|JOIN|UPDATE)|,)\s+(\w+)\b(?!\.)(?:\s+AS\s+(\w+))?", re.IGNORECASE)


@dataclass
class Watch:
    """What was sent. `offenders` are statements that leave a workspace open, `seen` counts the statements by table."""

    offenders: list[str] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)

    def start(self) -> None:
        event.listen(Engine, "before_cursor_execute", self._look)
        event.listen(Session, "before_flush", self._look_at_rows)

    def stop(self) -> None:
        event.remove(Engine, "before_cursor_execute", self._look)
        event.remove(Session, "before_flush", self._look_at_rows)

    def take(self) -> list[str]:
        """The offenders so far, which are forgotten."""
        found, self.offenders = self.offenders, []
        return found

    def _look(self, _connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        place, is_flush = find_place(sys._getframe())
        if place is None or place in ABOVE or not place[0].startswith("storage/"):
            return
        if place[0].startswith("storage/migrations/"):
            return  # a new shape of a table is for all workspaces
        self.seen.update(find_sources(statement))
        # The unit of work writes rows by their key; whose rows they are is looked at below.
        if not is_flush and (open_tables := find_open(statement)):
            self.offenders.append(f"{place[0]} {place[1]} leaves {', '.join(open_tables)} open: {statement}")
        if locks_in_disorder(statement):
            self.offenders.append(
                f"{place[0]} {place[1]} locks rows in another order than that of their key: {statement}"
            )

    def _look_at_rows(self, session: Session, *_rest: Any) -> None:
        rows = [*session.new, *session.dirty, *session.deleted]
        workspaces = {row.workspace_id for row in rows if hasattr(row, "workspace_id")}
        if len(workspaces) > 1:
            self.offenders.append(f"rows of {len(workspaces)} workspaces written together: {rows}")


def find_place(frame: FrameType | None) -> tuple[tuple[str, str] | None, bool]:
    """The (file, function) of ours that caused a statement, and whether it did so by a flush."""
    is_flush = False
    while frame is not None:
        code = frame.f_code
        if ours := _find_ours(code.co_filename):
            return (ours, code.co_name), is_flush
        is_flush = is_flush or (code.co_name == "_flush" and code.co_filename.endswith("session.py"))
        frame = frame.f_back
    return None, is_flush


@cache
def _find_ours(filename: str) -> str:
    """A file of ours as it is named here, "" for all others: asked a dozen times for every statement of the run."""
    path = Path(filename)
    is_ours = path.is_relative_to(ROOT) and ".venv" not in path.parts and path != Path(__file__)
    return path.relative_to(ROOT).as_posix() if is_ours else ""


@cache
def find_sources(statement: str) -> tuple[str, ...]:
    """Every scoped table that a statement reads or changes, once for each time it does, inserts aside."""
    return tuple(table for table, _ in _SOURCE.findall(statement) if table in SCOPED)


@cache
def find_open(statement: str) -> tuple[str, ...]:
    """The tables, by alias, that a statement reads or changes more often than it compares their workspace."""
    named = Counter(alias or table for table, alias in _SOURCE.findall(statement) if table in SCOPED)
    return tuple(
        name for name, times in named.items() if len(re.findall(rf"\b{name}\.workspace_id = ", statement)) < times
    )


@cache
def locks_in_disorder(statement: str) -> bool:
    """Whether a statement waits for the locks of several rows, and takes them in another order than their key's."""
    if "FOR UPDATE" not in statement or "SKIP LOCKED" in statement:
        return False
    orders = _ORDER.findall(statement)
    if not orders:
        return _ONE_ROW.search(statement.partition("WHERE")[2]) is None
    return orders[-1].removeprefix("ORDER BY ").strip() not in _KEYS
