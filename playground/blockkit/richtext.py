"""The rich_text block: sections, lists, quotes and preformatted text.

Owns its element shapes. Source: Slack's Block Kit reference, "Rich text block".
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from playground.blockkit.objects import Identifier, Strict


class Style(Strict):
    """How a run of text looks."""

    bold: bool | None = None
    italic: bool | None = None
    strike: bool | None = None
    code: bool | None = None
    underline: bool | None = None


class Styled(Strict):
    """Shared by all that can be styled."""

    style: Style | None = None


class RichRun(Styled):
    """A run of text."""

    type: Literal["text"]
    text: str


class RichLink(Styled):
    """A link."""

    type: Literal["link"]
    url: str
    text: str | None = None
    unsafe: bool | None = None


class RichUser(Styled):
    """A mention of a person."""

    type: Literal["user"]
    user_id: str


class RichUserGroup(Styled):
    """A mention of a group."""

    type: Literal["usergroup"]
    usergroup_id: str


class RichChannel(Styled):
    """A mention of a channel."""

    type: Literal["channel"]
    channel_id: str


class RichEmoji(Styled):
    """An emoji by name."""

    type: Literal["emoji"]
    name: str
    unicode: str | None = None
    skin_tone: int | None = None


class RichDate(Styled):
    """A moment shown in the reader's zone; `timestamp` in seconds since the epoch."""

    type: Literal["date"]
    timestamp: int
    format: str
    url: str | None = None
    fallback: str | None = None


class RichBroadcast(Styled):
    """A mention of everyone."""

    type: Literal["broadcast"]
    range: Literal["here", "channel", "everyone"]


class RichColor(Styled):
    """A colour swatch."""

    type: Literal["color"]
    value: str


Inline = Annotated[
    RichRun | RichLink | RichUser | RichUserGroup | RichChannel | RichEmoji | RichDate | RichBroadcast | RichColor,
    Field(discriminator="type"),
]


class RichSection(Strict):
    """A paragraph."""

    type: Literal["rich_text_section"]
    elements: list[Inline]


class RichList(Strict):
    """A list of paragraphs."""

    type: Literal["rich_text_list"]
    style: Literal["bullet", "ordered"]
    elements: list[RichSection]
    indent: Annotated[int, Field(ge=0, le=8)] | None = None
    offset: Annotated[int, Field(ge=0)] | None = None
    border: Literal[0, 1] | None = None


class RichPreformatted(Strict):
    """A block of code."""

    type: Literal["rich_text_preformatted"]
    elements: list[Inline]
    border: Literal[0, 1] | None = None
    language: str | None = None


class RichQuote(Strict):
    """A quotation."""

    type: Literal["rich_text_quote"]
    elements: list[Inline]
    border: Literal[0, 1] | None = None


RichPart = Annotated[RichSection | RichList | RichPreformatted | RichQuote, Field(discriminator="type")]


class RichText(Strict):
    """The block."""

    type: Literal["rich_text"]
    block_id: Identifier | None = None
    elements: list[RichPart]
