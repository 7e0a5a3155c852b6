"""What every benchmark prints: a small table, or JSON. Owns figures and their look; refuses to measure anything."""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from statistics import median

from rich.console import Console
from rich.table import Table

_WIDTH = 240
"""Columns in a file or a pipe, where there is no terminal to be as wide as."""


@dataclass(frozen=True)
class Spread:
    """Durations in milliseconds: how many, the middle, the slow ones."""

    count: int
    p50: float
    p95: float
    p99: float
    most: float


def spread(seconds: Sequence[float]) -> Spread:
    """The spread of measured durations; at least one."""
    ordered = sorted(each * 1000 for each in seconds)
    ranks = [ordered[min(len(ordered) - 1, int(len(ordered) * share))] for share in (0.95, 0.99)]
    return Spread(len(ordered), round(median(ordered), 2), *(round(each, 2) for each in (*ranks, ordered[-1])))


@dataclass(frozen=True)
class Must:
    """A promise and whether this run kept it."""

    promise: str
    measured: float
    limit: float

    @property
    def is_kept(self) -> bool:
        return self.measured < self.limit


@dataclass
class Report:
    """One benchmark's figures: rows of equal columns, promises, and what a reader should know."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str | float | int, ...]] = field(default_factory=list)
    musts: list[Must] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def show(self, *, is_json: bool) -> None:
        """Print it."""
        if is_json:
            musts = [{**asdict(each), "is_kept": each.is_kept} for each in self.musts]
            rows = [dict(zip(self.columns, row, strict=True)) for row in self.rows]
            print(json.dumps({"title": self.title, "rows": rows, "musts": musts, "notes": self.notes}))
            return
        table = Table(*self.columns, title=self.title, title_justify="left")
        for row in self.rows:
            table.add_row(*(str(each) for each in row))
        console = Console(soft_wrap=True, highlight=False, width=None if sys.stdout.isatty() else _WIDTH)
        console.print(table)
        for must in self.musts:
            console.print(f"{'kept' if must.is_kept else 'MISSED'}: {must.promise} (measured {must.measured:g})")
        for note in [*self.notes, f"{os.cpu_count()} cores, SQLite {sqlite3.sqlite_version}"]:
            console.print(note)


def read_arguments(about: str | None, accounts: int | None = None) -> argparse.ArgumentParser:
    """The arguments all programs share; `accounts` is the size's default (None: the program has no such size)."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    if accounts is not None:
        parser.add_argument("--accounts", type=int, default=accounts, help=f"how many (default {accounts})")
        parser.add_argument("--seed", type=int, default=7, help="another seed, other figures in the company")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser
