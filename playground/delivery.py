"""What an app answered to a payload, and how an app is reached.

Owns the answer's shape and the errors of a delivery that failed; the transports own the wire.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol

from playground.errors import RefusalError
from playground.manifest import App
from playground.model import Json

PayloadKind = Literal["commands", "interactivity", "options", "events"]


@dataclass(frozen=True)
class Ack:
    """An app's answer: `body` is decoded JSON, text, or None; `error` says why there is none.

    Errors are `operation_timeout` (no answer in time), `dispatch_failed` (nobody to ask) and `http_…`.
    """

    body: Any = None
    error: str | None = None
    is_final: bool = False

    @property
    def is_ok(self) -> bool:
        """Whether the app answered in time."""
        return self.error is None

    def check(self) -> None:
        """Raise RefusalError with the error when there is one."""
        if self.error is not None:
            raise RefusalError(self.error)


@dataclass(frozen=True)
class Retry:
    """Which repeat of an event this is (from 1) and why."""

    number: int
    reason: str


@dataclass(frozen=True)
class Parcel:
    """A payload on its way. `command` names the slash command, for apps with a URL for each; more `copies` than one
    reach the app at the same time, word for word, and the first answer counts.
    """

    kind: PayloadKind
    payload: Json
    accepts_response: bool
    command: str | None = None
    retry: Retry | None = None
    copies: int = 1


class Transport(Protocol):
    """One way to reach an app."""

    async def send(self, app: App, parcel: Parcel, seconds: float) -> Ack:
        """Hand a parcel over and wait at most `seconds` for the answer; never raises for an app's failure."""
