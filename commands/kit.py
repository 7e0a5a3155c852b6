"""Block Kit words: the few shapes our messages and forms are built of. Owns Slack's limits and escaping;
refuses to know any subject. Built over slack_sdk's models, returned as JSON-able dicts.

Every text that came from a person or a file passes `esc` before it goes into mrkdwn.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from slack_sdk.models.blocks import (
    Block,
    ButtonElement,
    ConfirmObject,
    ContextBlock,
    ConversationFilter,
    ConversationSelectElement,
    DatePickerElement,
    ExternalDataSelectElement,
    InputBlock,
    InputInteractiveElement,
    InteractiveElement,
    Option,
    OverflowMenuElement,
    PlainTextInputElement,
    PlainTextObject,
    SectionBlock,
    StaticSelectElement,
    TimePickerElement,
    UserSelectElement,
)

from commands.slice import Message, Ref

Json = dict[str, Any]
Element = InteractiveElement
"""A button or menu, as `actions` and `section` take it."""

SECTION_TEXT = 3000
FIELD_TEXT = 2000
HEADER_TEXT = 150
BUTTON_TEXT = 75
BUTTON_VALUE = 2000
OPTION_TEXT = 75
OPTION_COUNT = 100
CONTEXT_TEXT = 2000
MESSAGE_TEXT = 4000
MESSAGE_BLOCKS = 50
ACTIONS_COUNT = 25
OVERFLOW_COUNT = 5
TABLE_ROWS, TABLE_CELLS = 100, 20
LABEL_TEXT = 2000
INPUT_TEXT = 3000
PLACEHOLDER_TEXT = 150
TITLE_TEXT = 24


def clip(text: str, limit: int) -> str:
    """`text`, at most `limit` characters long, ending in an ellipsis where it was cut."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def esc(text: str) -> str:
    """Untrusted text made safe for mrkdwn: `& < >` escaped, so no mention, link or date can be smuggled in."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def mention(slack_id: str) -> str:
    """A member's mention."""
    return f"<@{slack_id}>"


def message(text: str, *blocks: Json) -> Message:
    """A message whose `text` is the fallback; with no blocks, the text is shown as one section."""
    shown = blocks or (section(text),)
    return Message(clip(text, MESSAGE_TEXT), tuple(shown[:MESSAGE_BLOCKS]))


def section(text: str, *, accessory: InteractiveElement | None = None, fields: Sequence[str] = ()) -> Json:
    """A paragraph of mrkdwn, with an optional element at its right and up to 10 short fields."""
    if not (text or fields):
        return _json(SectionBlock())  # refused
    block: Json = {"type": "section"}
    if text:
        block["text"] = _mrkdwn(text, SECTION_TEXT)
    if fields:
        block["fields"] = [_mrkdwn(each, FIELD_TEXT) for each in fields[:10]]
    if accessory is not None:
        block["accessory"] = _element(accessory)
    return block


def context(*texts: str) -> Json:
    """A small grey line."""
    shown = [_mrkdwn(each, CONTEXT_TEXT) for each in texts[:10] if each]
    return {"type": "context", "elements": shown} if shown else _json(ContextBlock(elements=[]))


def header(text: str) -> Json:
    """A headline of plain text."""
    return {"type": "header", "text": {"type": "plain_text", "text": clip(text, HEADER_TEXT), "emoji": False}}


def divider() -> Json:
    """A thin line."""
    return {"type": "divider"}


def table(rows: Sequence[Sequence[str]]) -> Json:
    """A table of plain text, its first row the names of the columns; at most 100 rows of 20 cells, and one a message.

    Not in the SDK's models yet: the block is written out here.
    """
    shown = [row[:TABLE_CELLS] for row in rows[:TABLE_ROWS]]
    cells = [[{"type": "raw_text", "text": text or "–"} for text in row] for row in shown]
    return {"type": "table", "rows": cells}


def actions(*elements: InteractiveElement) -> Json:
    """A row of buttons and menus."""
    return {"type": "actions", "elements": [_element(each) for each in elements[:ACTIONS_COUNT]]}


def button(
    text: str, action: str, ref: Ref, *, style: str | None = None, confirm: ConfirmObject | None = None
) -> ButtonElement:
    """A button of `action` about `ref`; `style` "primary" (one at most per message) or "danger"."""
    return ButtonElement(text=clip(text, BUTTON_TEXT), action_id=action, value=ref.dump(), style=style, confirm=confirm)


def confirm(title: str, text: str, yes: str, no: str) -> ConfirmObject:
    """A question before a button acts."""
    return ConfirmObject(
        title=clip(title, 100), text=PlainTextObject(text=clip(text, 300)), confirm=clip(yes, 30), deny=clip(no, 30)
    )


def option(value: str, label: str) -> Option:
    """One choice; `value` <= 150 characters."""
    return Option(value=value, text=PlainTextObject(text=clip(label, OPTION_TEXT), emoji=False))


def overflow(action: str, choices: Sequence[tuple[str, str]]) -> OverflowMenuElement:
    """The three-dots menu. Values are (value, label); the value should be a `Ref.dump()` under 150 characters."""
    return OverflowMenuElement(action_id=action, options=[option(*each) for each in choices[:OVERFLOW_COUNT]])


def menu(
    action: str, placeholder: str, choices: Sequence[tuple[str, str]], *, initial: str = ""
) -> StaticSelectElement:
    """A drop-down with fixed (value, label) choices."""
    options = [option(*each) for each in choices[:OPTION_COUNT]]
    chosen = next((each for each in options if each.value == initial), None)
    return StaticSelectElement(
        action_id=action, placeholder=clip(placeholder, PLACEHOLDER_TEXT), options=options, initial_option=chosen
    )


def loaded_menu(action: str, placeholder: str, *, initial: tuple[str, str] | None = None) -> ExternalDataSelectElement:
    """A drop-down whose options the `Choice` of the same action provides while the person types."""
    return ExternalDataSelectElement(
        action_id=action,
        placeholder=clip(placeholder, PLACEHOLDER_TEXT),
        initial_option=option(*initial) if initial else None,
        min_query_length=0,
    )


def person_menu(placeholder: str, *, initial: str = "") -> UserSelectElement:
    """A drop-down of the people of the workspace; its value is a Slack user id."""
    return UserSelectElement(
        action_id="value", placeholder=clip(placeholder, PLACEHOLDER_TEXT), initial_user=initial or None
    )


def channel_menu(placeholder: str, *, initial: str = "") -> ConversationSelectElement:
    """A drop-down of the public and private channels the person is in; its value is a Slack channel id."""
    return ConversationSelectElement(
        action_id="value",
        placeholder=clip(placeholder, PLACEHOLDER_TEXT),
        initial_conversation=initial or None,
        filter=ConversationFilter(include=["public", "private"], exclude_bot_users=True),
    )


def date_picker(*, initial: date | None = None) -> DatePickerElement:
    """A calendar to pick a day from; its value is an ISO date."""
    return DatePickerElement(action_id="value", initial_date=initial.isoformat() if initial else None)


def time_picker(*, initial: str = "") -> TimePickerElement:
    """A clock to pick a time of day from; its value is "HH:MM"."""
    return TimePickerElement(action_id="value", initial_time=initial or None)


def text_input(
    *, initial: str = "", placeholder: str = "", is_long: bool = False, max_length: int | None = None
) -> PlainTextInputElement:
    """A field to type in."""
    return PlainTextInputElement(
        action_id="value",
        initial_value=clip(initial, max_length or INPUT_TEXT) or None,
        placeholder=clip(placeholder, PLACEHOLDER_TEXT) or None,
        multiline=is_long,
        max_length=max_length,
    )


def form_field(
    name: str, label: str, element: InputInteractiveElement, *, hint: str = "", is_optional: bool = False
) -> Json:
    """A labelled field of a form. `name` is the block id and so the key in `Call.values`."""
    block = InputBlock(
        block_id=name,
        label=clip(label, LABEL_TEXT),
        element=element,
        hint=clip(hint, LABEL_TEXT) or None,
        optional=is_optional,
    )
    return _json(block)


def _mrkdwn(text: str, limit: int) -> Json:
    """Written out by hand, like all that stands in most messages: the SDK's models take 2 ms for twenty blocks."""
    return {"type": "mrkdwn", "text": clip(text, limit), "verbatim": True}


def _element(element: InteractiveElement) -> Json:
    """A button; menus, and buttons that ask first, are left to the SDK, which refuses too long a value as well."""
    if not isinstance(element, ButtonElement) or element.confirm or len(element.value or "") > BUTTON_VALUE:
        return dict(element.to_dict())
    text = {"type": "plain_text", "text": element.text.text if element.text else "", "emoji": True}
    styled = {"style": element.style} if element.style else {}
    return {"type": "button", "action_id": element.action_id, "text": text, "value": element.value, **styled}


def _json(block: Block) -> Json:
    """The block as a dict, refused here (with the SDK's own check) rather than by Slack."""
    return dict(block.to_dict())
