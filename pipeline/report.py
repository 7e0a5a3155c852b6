"""What a job says when it is done. Owns the record; refuses to log or print it (`bot` does)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class JobReport:
    """A job's name, what it counted ("accounts" and the like), and sentences for whoever runs it by hand."""

    name: str
    counts: Mapping[str, int]
    lines: tuple[str, ...] = ()
