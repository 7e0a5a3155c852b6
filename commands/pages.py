"""Pages of lists: which part of a list is shown, and the buttons that turn its pages. Owns no list and no action."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from commands.kit import Element, Json, actions, button, context
from commands.slice import Call, Ref
from words.reader import Reader

Item = TypeVar("Item")

_PAGE = "page"


@dataclass(frozen=True)
class Page:
    """The `wanted`th page (from 1) of `total` things, `length` to a page."""

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

    def cut(self, things: Sequence[Item]) -> Sequence[Item]:
        """The part of all the things that it shows."""
        return things[self.offset : self.offset + self.length]

    def place_words(self, reader: Reader) -> str:
        """Where the reader is, "page 2 of 3"; "" where there is one page."""
        if self.count == 1:
            return ""
        return reader.say("page {page} of {pages}", page=reader.number(self.number), pages=reader.number(self.count))

    def place_line(self, reader: Reader) -> list[Json]:
        """Where the reader is, as a line; nothing where there is one page."""
        return [context(self.place_words(reader))] if self.count > 1 else []

    def buttons(self, reader: Reader, back: str, more: str, ref: Ref) -> list[Element]:
        """The buttons of actions `back` and `more`, as far as there are such pages; they carry `ref` and the page."""
        ways = ((back, reader.say("Previous"), self.number - 1), (more, reader.say("Next"), self.number + 1))
        return [
            button(label, action, Ref(ref.kind, ref.id, {**ref.extra, _PAGE: str(to)}))
            for action, label, to in ways
            if 1 <= to <= self.count
        ]

    def turns(self, reader: Reader, back: str, more: str, ref: Ref) -> list[Json]:
        """The line that says where the reader is and the row of buttons; nothing where there is one page."""
        if self.count == 1:
            return []
        return [*self.place_line(reader), actions(*self.buttons(reader, back, more, ref))]


def wanted_page(call: Call) -> int:
    """The page that the pressed button names, else the first."""
    page = call.ref.extra.get(_PAGE, "1") if call.ref else "1"
    return int(page) if page.isdecimal() else 1
