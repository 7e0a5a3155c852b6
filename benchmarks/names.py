"""Names of invented companies, as many as are wanted. Owns these words only."""

from __future__ import annotations

_BEGINNINGS = "North Blue Clear Bright Iron Silver Amber Cedar River Stone Maple Harbor Summit Falcon Lumen Vertex"
_ENDINGS = "wind field gate water bridge point forge yard line works crest port grove peak mark light"
_TRADES = "Analytics Foods Energy Labs Media Motors Health Logistics Retail Bank Travel Systems Studio Textiles"


def make_name(number: int) -> str:
    """The `number`-th name; no two are the same."""
    rest, beginning = _pick(number, _BEGINNINGS)
    rest, ending = _pick(rest, _ENDINGS)
    rest, trade = _pick(rest, _TRADES)
    return " ".join([beginning + ending, trade, *([str(rest + 1)] if rest else [])])


def _pick(number: int, words: str) -> tuple[int, str]:
    known = words.split()
    return number // len(known), known[number % len(known)]
