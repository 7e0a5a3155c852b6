"""Layout blocks and the unions of those that a message, a modal and a Home tab may hold.

Owns their fields and limits. Source: Slack's Block Kit reference, "Blocks".
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from playground.blockkit.elements import AccessoryElement, ActionsElement, Image, InputElement
from playground.blockkit.objects import (
    AnyText,
    Identifier,
    Mrkdwn,
    Plain150,
    Plain2000,
    PlainText,
    Strict,
    Text2000,
    Text3000,
    WebUrl,
)
from playground.blockkit.richtext import RichText

MARKDOWN_LIMIT = 12_000


class Block(Strict):
    """Shared by all blocks."""

    block_id: Identifier | None = None


class Section(Block):
    """Text, fields, or both, with at most one element beside it."""

    type: Literal["section"]
    text: Text3000 | None = None
    fields: Annotated[list[Text2000], Field(min_length=1, max_length=10)] | None = None
    accessory: AccessoryElement | None = None
    expand: bool | None = None

    @model_validator(mode="after")
    def check_content(self) -> Self:
        """A section says something."""
        if self.text is None and self.fields is None:
            raise PydanticCustomError("section", "missing required field: text or fields")
        return self


class Actions(Block):
    """A row of interactive elements."""

    type: Literal["actions"]
    elements: Annotated[list[ActionsElement], Field(min_length=1, max_length=25)]


class Context(Block):
    """Small texts and images."""

    type: Literal["context"]
    elements: Annotated[
        list[Annotated[PlainText | Mrkdwn | Image, Field(discriminator="type")]], Field(min_length=1, max_length=10)
    ]


class Divider(Block):
    """A line."""

    type: Literal["divider"]


class Header(Block):
    """A large plain text."""

    type: Literal["header"]
    text: Plain150


class Input(Block):
    """A labelled field of a form."""

    type: Literal["input"]
    label: Plain2000
    element: InputElement
    hint: Plain2000 | None = None
    optional: bool = False
    dispatch_action: bool = False


class SlackFile(Strict):
    """An uploaded picture, by its id. (Slack knows a `url` as well, which the playground does not.)"""

    id: Annotated[str, StringConstraints(pattern="^F[A-Z0-9]{8,}$")]


class ImageBlock(Block):
    """A large image, from the web or uploaded."""

    type: Literal["image"]
    image_url: WebUrl | None = None
    slack_file: SlackFile | None = None
    alt_text: Annotated[str, StringConstraints(max_length=2000)]
    title: Plain2000 | None = None

    @model_validator(mode="after")
    def check_source(self) -> Self:
        """An image comes from one place."""
        if (self.image_url is None) == (self.slack_file is None):
            raise PydanticCustomError("image", "one of image_url and slack_file is required")
        return self


class Markdown(Block):
    """Standard markdown, at most 12,000 characters in a message's blocks together."""

    type: Literal["markdown"]
    text: Annotated[str, StringConstraints(min_length=1, max_length=MARKDOWN_LIMIT)]


class RawText(Strict):
    """A plain table cell."""

    type: Literal["raw_text"]
    text: Annotated[str, StringConstraints(min_length=1)]


class RawNumber(Strict):
    """A numeric table cell."""

    type: Literal["raw_number"]
    value: int | float
    text: str | None = None


class ColumnSettings(Strict):
    """How a table's column is shown."""

    align: Literal["left", "center", "right"] | None = None
    is_wrapped: bool | None = None


Cell = Annotated[RawText | RawNumber | RichText, Field(discriminator="type")]
Row = Annotated[list[Cell], Field(min_length=1, max_length=20)]


class Table(Block):
    """At most 100 rows of 20 cells; one table a message."""

    type: Literal["table"]
    rows: Annotated[list[Row], Field(min_length=1, max_length=100)]
    column_settings: Annotated[list[ColumnSettings | None], Field(max_length=20)] | None = None


class Alert(Block):
    """A coloured notice, in modals only."""

    type: Literal["alert"]
    text: AnyText
    level: Literal["default", "info", "warning", "error", "success"] = "default"


Anywhere = Section | Actions | Context | Divider | Header | Input | ImageBlock | RichText
MessageBlock = Annotated[Anywhere | Markdown | Table, Field(discriminator="type")]
ModalBlock = Annotated[Anywhere | Alert, Field(discriminator="type")]
HomeBlock = Annotated[Anywhere, Field(discriminator="type")]
