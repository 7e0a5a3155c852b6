"""Pages of lists about accounts: which part is shown and the buttons that turn them. Owns no list."""

from __future__ import annotations

from dataclasses import dataclass

from commands.kit import Json, actions, button, context
from commands.slice import Call, Ref
from words.reader import Reader


@dataclass(frozen=True)
class Page:
    """The `number`th page (from 1) of `total` things, `length` to a page."""

    total: int
    length: int
    wanted: int = 1

    @property
    def count(self) -> int:
        """How many pages there are, one at least."""
        return max(1, -(-self.total // self.length))

    @property
    def number(self) -> int:
        """The page that is shown: the wanted one where it exists, else the nearest that does."""
        return max(1, min(self.wanted, self.count))

    @property
    def offset(self) -> int:
        """How many things come before it."""
        return (self.number - 1) * self.length

    def turns(self, reader: Reader, back: str, more: str, ref: Ref) -> list[Json]:
        """Where the reader is and the buttons of actions `back` and `more`; nothing where there is one page."""
        if self.count == 1:
            return []
        place = reader.say("page {page} of {pages}", page=reader.number(self.number), pages=reader.number(self.count))
        wanted = ((back, reader.say("Previous"), self.number - 1), (more, reader.say("Next"), self.number + 1))
        buttons = [
            button(label, action, Ref(ref.kind, ref.id, {**ref.extra, "page": str(number)}))
            for action, label, number in wanted
            if 1 <= number <= self.count
        ]
        return [context(place), actions(*buttons)]


def wanted_page(call: Call) -> int:
    """The page that the pressed button names, else the first."""
    page = call.ref.extra.get("page", "1") if call.ref else "1"
    return int(page) if page.isdecimal() else 1
