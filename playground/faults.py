"""Faults that a test or demo may put into the Web API's request path.

Owns what a fault can be; `api` owns where it strikes. None strikes unless one is inserted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True)
class Fault:
    """One disturbance of one call. Make it with the class methods.

    Attributes:
        error: answer `ok: false` with this code, nothing applied.
        status: answer this HTTP status, nothing applied.
        retry_after_seconds: with 429, the Retry-After header.
        hang_seconds: wait so long first.
        is_dropped: apply the method, then close the connection without an answer.
    """

    error: str | None = None
    status: int | None = None
    retry_after_seconds: int | None = None
    hang_seconds: float = 0.0
    is_dropped: bool = False

    @classmethod
    def refuse(cls, error: str) -> Self:
        """Slack refuses with an error code."""
        return cls(error=error)

    @classmethod
    def fail(cls, status: int = 500) -> Self:
        """Slack is broken."""
        return cls(status=status)

    @classmethod
    def rate_limit(cls, retry_after_seconds: int) -> Self:
        """Slack answers 429."""
        return cls(error="ratelimited", status=429, retry_after_seconds=retry_after_seconds)

    @classmethod
    def hang(cls, seconds: float) -> Self:
        """Slack answers late; the method is applied after the wait."""
        return cls(hang_seconds=seconds)

    @classmethod
    def drop_after_accept(cls) -> Self:
        """Slack applies the method and the answer is lost."""
        return cls(is_dropped=True)


FaultSource = Callable[[str, Mapping[str, Any]], Fault | None]


def find_fault(sources: list[FaultSource], method: str, args: Mapping[str, Any]) -> Fault | None:
    """The first fault that any source wants for this call."""
    return next((fault for source in sources if (fault := source(method, args)) is not None), None)
