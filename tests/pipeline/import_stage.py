"""A workspace on SQLite to import into: write a CSV, import it, look at what is stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlmodel import SQLModel, select

from pipeline.imports.mapping import Kind
from pipeline.imports.report import ImportReport
from pipeline.imports.run import Job, run_import
from storage.db import Database
from tests.conftest import NOW

ACCOUNTS = "external_id,name,aliases\nA1,Acme Corp,ACM\nA2,Globex,\n"


@dataclass
class Stage:
    """One workspace and a folder for files."""

    database: Database
    workspace_id: str
    folder: Path

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def run(self, kind: str, content: str | bytes | Path, mapping: str | Path = "", **more: Any) -> ImportReport:
        path = content if isinstance(content, Path) else self.write(f"{kind}.csv", content)
        map_path = mapping if isinstance(mapping, Path) else mapping and self.write("map.yml", mapping)
        job = Job(Kind(kind), path, map_path or None, **more)
        return run_import(self.database, self.workspace_id, job, NOW)

    def rows(self, table: type[SQLModel], *names: str) -> list[tuple[Any, ...]]:
        """The chosen columns of every row of the workspace, sorted."""
        with self.database.reading(self.workspace_id) as tx:
            found = tx.session.exec(select(table).filter_by(workspace_id=tx.workspace_id)).all()
        return sorted((tuple(getattr(row, name) for name in names) for row in found), key=str)


def reasons(report: ImportReport) -> list[tuple[int, str, str]]:
    return [(each.line.number, each.column, each.reason) for each in report.rejects]


def counts(report: ImportReport) -> Sequence[int]:
    """new, changed, same, rejected; with the skipped they add up to the rows."""
    new, changed, same = (report.outcomes[name] for name in ("new", "changed", "same"))
    assert report.rows == new + changed + same + len(report.rejects) + report.skipped.total()
    return new, changed, same, len(report.rejects)
