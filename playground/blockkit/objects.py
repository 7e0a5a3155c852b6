"""Composition objects: texts, options, confirmation dialogs, filters.

Owns their shapes and limits; refuses to know which element holds them.
Source of the limits: Slack's Block Kit reference, "Composition objects".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

ID_LIMIT = 255
URL_LIMIT = 3000


class Strict(BaseModel):
    """Refuses unknown fields and does not convert types: JSON sent to Slack is taken literally."""

    model_config = ConfigDict(extra="forbid", strict=True)


class PlainText(Strict):
    """Plain text; never empty."""

    type: Literal["plain_text"]
    text: Annotated[str, StringConstraints(min_length=1)]
    emoji: bool = True


class Mrkdwn(Strict):
    """Slack's own markup; never empty."""

    type: Literal["mrkdwn"]
    text: Annotated[str, StringConstraints(min_length=1)]
    verbatim: bool = False


TextKind = TypeVar("TextKind", PlainText, Mrkdwn, PlainText | Mrkdwn)


def at_most(limit: int) -> Callable[[TextKind], TextKind]:
    """A validator of the length of a text object's text, in characters."""

    def check(value: TextKind) -> TextKind:
        if len(value.text) > limit:
            raise PydanticCustomError(
                "text_too_long", "must be less than {stop} characters", {"stop": limit + 1, "inside": "text"}
            )
        return value

    return check


AnyText = Annotated[PlainText | Mrkdwn, Field(discriminator="type")]
Plain24 = Annotated[PlainText, AfterValidator(at_most(24))]
Plain30 = Annotated[PlainText, AfterValidator(at_most(30))]
Plain75 = Annotated[PlainText, AfterValidator(at_most(75))]
Plain100 = Annotated[PlainText, AfterValidator(at_most(100))]
Plain150 = Annotated[PlainText, AfterValidator(at_most(150))]
Plain2000 = Annotated[PlainText, AfterValidator(at_most(2000))]
Text75 = Annotated[AnyText, AfterValidator(at_most(75))]
Text300 = Annotated[AnyText, AfterValidator(at_most(300))]
Text2000 = Annotated[AnyText, AfterValidator(at_most(2000))]
Text3000 = Annotated[AnyText, AfterValidator(at_most(3000))]
Identifier = Annotated[str, StringConstraints(min_length=1, max_length=ID_LIMIT)]
Url = Annotated[str, StringConstraints(max_length=URL_LIMIT, pattern=r"^[a-z][a-z0-9+.-]*:")]
WebUrl = Annotated[str, StringConstraints(max_length=URL_LIMIT, pattern=r"^https?://")]
OptionValue = Annotated[str, StringConstraints(min_length=1, max_length=150)]


class Option(Strict):
    """An option of a select menu."""

    text: Plain75
    value: OptionValue
    description: Plain75 | None = None


class RichOption(Strict):
    """An option of checkboxes or radio buttons, which may use mrkdwn."""

    text: Text75
    value: OptionValue
    description: Text75 | None = None


class OverflowOption(Option):
    """An option of an overflow menu, which may open a link."""

    url: Url | None = None


class OptionGroup(Strict):
    """Options under a label."""

    label: Plain75
    options: Annotated[list[Option], Field(min_length=1, max_length=100)]


class Confirm(Strict):
    """A confirmation dialog."""

    title: Plain100
    text: Text300
    confirm: Plain30
    deny: Plain30
    style: Literal["primary", "danger"] | None = None


class DispatchActionConfig(Strict):
    """When an input sends block_actions."""

    trigger_actions_on: Annotated[
        list[Literal["on_enter_pressed", "on_character_entered"]], Field(min_length=1, max_length=2)
    ]


class ConversationFilter(Strict):
    """Which conversations a conversations menu offers."""

    include: Annotated[list[Literal["im", "mpim", "private", "public"]], Field(min_length=1)] | None = None
    exclude_bot_users: bool | None = None
    exclude_external_shared_channels: bool | None = None
