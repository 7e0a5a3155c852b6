"""Faults that a test or demo may put into the playground: what each is called and what it does to one call.

Owns what a fault can be; `fault_rules` owns when one strikes, `api_faults` how. None strikes unless one is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

HANG_SECONDS = 30.0


class FaultKind(StrEnum):
    """What can go wrong. All but the last disturb a call of the Web API; the last, a payload to the app."""

    REFUSE = "refuse"
    RATE_LIMIT = "rate_limit"
    FAIL = "fail"
    FAIL_AFTER_ACCEPT = "fail_after_accept"
    DROP_BEFORE_ACCEPT = "drop_before_accept"
    DROP_AFTER_ACCEPT = "drop_after_accept"
    ANSWER_LATE = "answer_late"
    APPLY_LATE = "apply_late"
    HANG = "hang"
    DUPLICATE = "duplicate"


@dataclass(frozen=True)
class Fault:
    """One disturbance of one call. Make it with the class methods.

    Attributes:
        kind: what goes wrong.
        error: the code that a refusal carries.
        status: the HTTP status of a failure.
        seconds: how long the answer, the effect or the end is put off; with a rate limit, the Retry-After header.
        rule: the number of the rule it comes from, if it does.
    """

    kind: FaultKind
    error: str = "internal_error"
    status: int = 200
    seconds: float = 0.0
    rule: int | None = None

    @classmethod
    def refuse(cls, error: str) -> Self:
        """Slack refuses with an error code."""
        return cls(FaultKind.REFUSE, error=error)

    @classmethod
    def rate_limit(cls, retry_after_seconds: int) -> Self:
        """Slack answers 429 with Retry-After."""
        return cls(FaultKind.RATE_LIMIT, error="ratelimited", status=429, seconds=retry_after_seconds)

    @classmethod
    def fail(cls, status: int = 500) -> Self:
        """Slack is broken: nothing is applied."""
        return cls(FaultKind.FAIL, status=status)

    @classmethod
    def fail_after_accept(cls, status: int = 500) -> Self:
        """Slack breaks after it applied the method."""
        return cls(FaultKind.FAIL_AFTER_ACCEPT, status=status)

    @classmethod
    def drop_before_accept(cls) -> Self:
        """The connection is closed and nothing is applied."""
        return cls(FaultKind.DROP_BEFORE_ACCEPT)

    @classmethod
    def drop_after_accept(cls) -> Self:
        """Slack applies the method and the answer is lost."""
        return cls(FaultKind.DROP_AFTER_ACCEPT)

    @classmethod
    def answer_late(cls, seconds: float) -> Self:
        """The method is applied at once and answered later."""
        return cls(FaultKind.ANSWER_LATE, seconds=seconds)

    @classmethod
    def apply_late(cls, seconds: float) -> Self:
        """The answer is lost at once; the method is applied later."""
        return cls(FaultKind.APPLY_LATE, seconds=seconds)

    @classmethod
    def hang(cls, seconds: float = HANG_SECONDS) -> Self:
        """No answer for so long, then the connection is closed; nothing is applied."""
        return cls(FaultKind.HANG, seconds=seconds)


FaultSource = Callable[[str, Mapping[str, Any]], Fault | None]


def find_fault(sources: list[FaultSource], method: str, args: Mapping[str, Any]) -> Fault | None:
    """The first fault that any source wants for this call."""
    return next((fault for source in sources if (fault := source(method, args)) is not None), None)
