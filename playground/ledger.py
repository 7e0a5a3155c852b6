"""The ledger: every API call, payload and answer in order, with outcome and time; tokens masked.

Owns the record and its masking; refuses to judge what it records.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from playground.model import Json

KEPT_ENTRIES = 50_000
TOKEN = re.compile(r"x(?:oxb|app|oxp)-[\w-]+")
SECRET_KEYS = frozenset({"token", "signing_secret"})


def mask(value: Any) -> Any:
    """A copy without tokens: `xoxb-…k3Qz`."""
    if isinstance(value, str):
        return TOKEN.sub(lambda found: f"{found[0][:5]}…{found[0][-4:]}", value)
    if isinstance(value, list):
        return [mask(item) for item in value]
    if isinstance(value, dict):
        return {key: "…" if key in SECRET_KEYS else mask(item) for key, item in value.items()}
    return value


@dataclass
class Ledger:
    """Keeps the latest entries. `clock` returns seconds since the epoch."""

    clock: Callable[[], float]
    entries: deque[Json] = field(default_factory=lambda: deque(maxlen=KEPT_ENTRIES))
    last_number: int = 0

    def write(self, kind: str, name: str, content: Any, outcome: str, seconds: float = 0.0, **more: Any) -> int:
        """Add an entry; its number.

        Args:
            kind: `api`, `payload`, `ack`, `response_url`, `socket`, or `fault` for every strike of one.
            name: the method, the payload's type, or what happened to a connection.
            content: arguments or payload.
            outcome: `ok`, an error code, or a fault's kind.
            seconds: how long it took.
            more: what else is known: `place` (`channel` and `ts` that a call answered with), `struck_by` (the number of
                the entry of the fault that struck the call); left out where empty.
        """
        self.last_number += 1
        entry: Json = {"n": self.last_number, "at": self.clock(), "kind": kind, "name": name, "outcome": outcome}
        entry |= {"milliseconds": round(seconds * 1000, 1), "content": mask(content)}
        self.entries.append(entry | {key: value for key, value in more.items() if value})
        return self.last_number
