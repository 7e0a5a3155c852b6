"""What a check found: fine, worth a look, or broken, and what to do. Owns the shape only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How bad it is: FAIL stops Milepost or loses messages, WARN leaves something out."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class Finding:
    """One line of the report: about what, how it is, and ("" if fine) what to do."""

    about: str
    verdict: Verdict
    said: str
    to_do: str = ""


def ok(about: str, said: str) -> Finding:
    """It is fine."""
    return Finding(about, Verdict.OK, said)


def warn(about: str, said: str, to_do: str) -> Finding:
    """It works, but something is left out."""
    return Finding(about, Verdict.WARN, said, to_do)


def fail(about: str, said: str, to_do: str) -> Finding:
    """It does not work."""
    return Finding(about, Verdict.FAIL, said, to_do)


def is_broken(findings: Iterable[Finding]) -> bool:
    """Whether any of them failed."""
    return any(each.verdict is Verdict.FAIL for each in findings)
