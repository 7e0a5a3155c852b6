"""Which account a cell names. Owns exact look-up among thousands of names; refuses to guess: a near miss is offered in
the reason of the reject, never taken.
"""

from __future__ import annotations

from collections.abc import Sequence

from words.errors import excerpt
from words.names import Named, find_name, fold

# Looking for near names is slow; after this many different unknown names it helps nobody.
_NEAREST_LOOKUPS = 50


class AccountNames:
    """Account ids by external id, name, slug and alias: as written, else folded. A name of two accounts is nobody's."""

    def __init__(self, named: Sequence[Named]) -> None:
        self._named = named
        self._ids: dict[str, str | None] = {}
        self._reasons: dict[str, str] = {}
        written = [(name, each.id) for each in named for name in each.names]
        folded = [(name, each.id) for each in named for name in each.folded]
        for pairs in (written, folded):
            self._ids = _index(pairs) | self._ids

    def find(self, cell: str) -> str | None:
        """The id of the one account of this name."""
        return self._ids[cell] if cell in self._ids else self._ids.get(fold(cell))

    def explain(self, cell: str) -> str:
        """Why `find` gives nothing, and what may be meant."""
        if not self._named:
            return "there are no accounts yet; import the accounts first"
        if cell not in self._reasons:
            near = len(self._reasons) < _NEAREST_LOOKUPS and find_name(cell, self._named, nearest=1).nearest
            self._reasons[cell] = f"; the nearest is {near[0].names[0]!r}" if near else ""
        if cell in self._ids or fold(cell) in self._ids:
            return f"{excerpt(cell)!r} is the name of several accounts; use the external id"
        return f"there is no account {excerpt(cell)!r}{self._reasons[cell]}"


def _index(pairs: Sequence[tuple[str, str]]) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for name, id_ in pairs:
        found[name] = id_ if found.get(name, id_) == id_ else None
    return found
