"""Companies that take minutes to make, kept for the next run: `uv run python -m benchmarks.kept --accounts 100000`.

One file per size, seed and shape, below the temporary directory; a change of the tables or of what makes the company
is another shape. Who measures works on a copy. Owns these files; refuses to make a company otherwise than
`benchmarks.company` does.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from time import perf_counter

from sqlalchemy import select
from sqlmodel import col

from benchmarks import care, company, copies, names
from benchmarks.company import Company, make_company
from benchmarks.names import make_name
from benchmarks.report import read_arguments
from storage.db import Database
from storage.people.workspaces import WorkspaceRow
from storage.schema import METADATA

_MAKERS = (care, company, copies, names)


def keep_company(accounts: int, seed: int = 7) -> Path:
    """The file of a company of this size, made now if it is not there yet; others who ask meanwhile wait for it.

    It stands on the morning of `benchmarks.company.NOW`, before the daily jobs. Nobody may change it.
    """
    folder = Path(tempfile.gettempdir()) / "milepost-benchmarks"
    folder.mkdir(exist_ok=True)
    wanted = folder / f"company-{accounts}-{seed}-{_describe_shape()}.db"
    with wanted.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not wanted.exists():
            _make(wanted, accounts, seed)
    return wanted


@contextmanager
def open_copy(accounts: int, seed: int = 7) -> Iterator[Company]:
    """A copy of such a company, deleted at the end."""
    kept = keep_company(accounts, seed)
    with tempfile.TemporaryDirectory(prefix="milepost-benchmark-") as folder:
        path = Path(folder) / "company.db"
        _copy(kept, path)
        with closing(Database(f"sqlite:///{path}")) as database:
            yield read_company(database, accounts)


def _copy(kept: Path, path: Path) -> None:
    """Copy a company, so that what is measured next neither waits for the copy to reach the disk nor finds the memory
    that keeps files full of the original.
    """
    shutil.copyfile(kept, path)
    os.sync()
    with kept.open("rb") as original:
        os.posix_fadvise(original.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def read_company(database: Database, accounts: int) -> Company:
    """The company that stands in a database."""
    with database.read() as session:
        workspace_id = session.execute(select(col(WorkspaceRow.id))).scalar_one()
    return Company(database, workspace_id, tuple(make_name(number) for number in range(accounts)))


def _make(wanted: Path, accounts: int, seed: int) -> None:
    """Under another name first: a run that is broken off leaves nothing that looks whole."""
    unfinished = wanted.with_suffix(".unfinished")
    unfinished.unlink(missing_ok=True)
    with closing(Database(f"sqlite:///{unfinished}")) as database:
        make_company(database, accounts, seed=seed)
    unfinished.rename(wanted)


def _describe_shape() -> str:
    """Short, and another one whenever the tables or the makers change."""
    tables = [f"{table.name}.{column.name}" for table in METADATA.sorted_tables for column in table.columns]
    makers = [Path(str(module.__file__)).read_text(encoding="utf-8") for module in _MAKERS]
    return hashlib.sha256("\n".join([*tables, *makers]).encode()).hexdigest()[:12]


def main() -> None:
    """Keep one and say where."""
    given = read_arguments(__doc__, 100_000).parse_args()
    began = perf_counter()
    path = keep_company(given.accounts, given.seed)
    print(f"{path}: {path.stat().st_size / 1e6:.0f} MB, {perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
