"""Mints identifiers shaped as Slack's: a letter and ten characters, and strictly increasing message timestamps.

Owns their uniqueness within one process; refuses to know what they name.
"""

from __future__ import annotations

import itertools
import secrets
import string
from collections.abc import Callable

ALPHABET = string.ascii_uppercase + string.digits
MICROS = 1_000_000
TS_STEP_MICROS = 100


def to_base36(number: int) -> str:
    """A non-negative number in Slack's id alphabet."""
    digits = ""
    while number:
        number, rest = divmod(number, len(ALPHABET))
        digits = ALPHABET[rest] + digits
    return digits or ALPHABET[0]


class Ids:
    """Counts up from a start that gives ids of eleven characters; `clock` returns seconds since the epoch."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._numbers = itertools.count(36**8, 36**4 + 7)
        self._last_micros = 0

    def mint(self, prefix: str) -> str:
        """An id such as `C0BAAA…`: the prefix, a zero and nine characters."""
        return f"{prefix}0{to_base36(next(self._numbers))}"

    def mint_ts(self) -> str:
        """A message timestamp, later than every earlier one: `"1700000000.000100"`."""
        now_micros = int(self._clock() * MICROS)
        self._last_micros = max(now_micros, self._last_micros + TS_STEP_MICROS)
        return f"{self._last_micros // MICROS}.{self._last_micros % MICROS:06d}"

    def mint_trigger(self, team_id: str) -> str:
        """A trigger id: `"13345224609.738474920.8088930838d88f008e0"`."""
        number = next(self._numbers)
        return f"{number}.{sum(team_id.encode())}.{secrets.token_hex(16)}"

    def mint_hash(self) -> str:
        """A view's hash: `"1569362015.55b5e41b"`."""
        return f"{int(self._clock())}.{secrets.token_hex(4)}"


def mint_block_id() -> str:
    """What Slack puts in a block or action that came without an id."""
    return secrets.token_urlsafe(4)[:5]
