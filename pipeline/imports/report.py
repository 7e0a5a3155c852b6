"""What an import did, or would do. Owns the figures; refuses to word them for people (`bot.cli.imports`)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.imports.mapping import Kind
from pipeline.imports.shape import Reject
from rules.accounts.imports import Outcome


@dataclass
class ImportReport:
    """Rows by outcome, rows skipped by reason, and each reject. `rows` is the sum of them all.

    `rejects_path` is None where there is nothing to write, in a dry run, or where no place could be written to.
    """

    kind: Kind
    path: Path
    is_dry_run: bool
    rows: int = 0
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    rejects: list[Reject] = field(default_factory=list)
    ignored_columns: tuple[str, ...] = ()
    rejects_path: Path | None = None

    @property
    def taken(self) -> int:
        """How many rows are in the database now, or would be."""
        return sum(self.outcomes.values())

    def as_json(self) -> dict[str, Any]:
        """The report for machines."""
        return {
            "kind": self.kind.value,
            "file": str(self.path),
            "dry_run": self.is_dry_run,
            "rows": self.rows,
            **{outcome.value: self.outcomes[outcome] for outcome in Outcome},
            "skipped": dict(self.skipped),
            "rejected": len(self.rejects),
            "rejects": [
                {"line": each.line.number, "column": each.column, "reason": each.reason} for each in self.rejects
            ],
            "ignored_columns": list(self.ignored_columns),
            "rejects_file": str(self.rejects_path) if self.rejects_path else None,
        }
