"""Block Kit as the playground takes it: what is good passes unchanged, what is over a limit is refused by name."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.blockkit.check import BlocksError, check_blocks, count_text


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def option(value: str) -> dict[str, Any]:
    return {"text": plain(value), "value": value}


def button(number: int = 0, **fields: Any) -> dict[str, Any]:
    return {"type": "button", "action_id": f"b{number}", "text": plain("Go"), **fields}


def section(text: str = "Hello") -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def actions(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "actions", "elements": list(elements)}


def form(element: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"type": "input", "label": plain("Field"), "element": element, **fields}


def problems(blocks: Any, surface: Any = "message") -> str:
    with pytest.raises(BlocksError) as caught:
        check_blocks(blocks, surface)
    return " | ".join(caught.value.messages)


SIZED: dict[str, tuple[Any, int, str]] = {
    "section text": (section, 3000, "/blocks/0/text/text"),
    "header": (lambda text: {"type": "header", "text": plain(text)}, 150, "/blocks/0/text/text"),
    "markdown": (lambda text: {"type": "markdown", "text": text}, 12_000, "/blocks/0/text"),
    "field": (lambda text: {"type": "section", "fields": [plain(text)]}, 2000, "/blocks/0/fields/0/text"),
    "button text": (lambda text: actions(button(text=plain(text))), 75, "/blocks/0/elements/0/text/text"),
    "button value": (lambda text: actions(button(value=text)), 2000, "/blocks/0/elements/0/value"),
    "action_id": (lambda text: actions(button(action_id=text)), 255, "/blocks/0/elements/0/action_id"),
    "block_id": (lambda text: {"type": "divider", "block_id": text}, 255, "/blocks/0/block_id"),
    "label": (
        lambda text: {**form({"type": "plain_text_input"}), "label": plain(text)},
        2000,
        "/blocks/0/label/text",
    ),
    "placeholder": (
        lambda text: actions({"type": "users_select", "placeholder": plain(text)}),
        150,
        "/blocks/0/elements/0/placeholder/text",
    ),
    "option value": (
        lambda text: actions({"type": "static_select", "options": [{"text": plain("a"), "value": text}]}),
        150,
        "/blocks/0/elements/0/options/0/value",
    ),
    "option text": (
        lambda text: actions({"type": "overflow", "options": [{"text": plain(text), "value": "a"}]}),
        75,
        "/blocks/0/elements/0/options/0/text/text",
    ),
    "alt_text": (
        lambda text: {"type": "image", "image_url": "https://example.com/a.png", "alt_text": text},
        2000,
        "/blocks/0/alt_text",
    ),
}


@pytest.mark.parametrize("name", SIZED)
@given(data=st.data())
def test_a_text_within_its_limit_passes_and_one_over_is_refused_by_its_place(name: str, data: st.DataObject):
    make, limit, pointer = SIZED[name]
    letter = data.draw(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]))
    length = data.draw(st.integers(1, limit))
    check_blocks([make(letter * length)], "message")
    check_blocks([make(letter * limit)], "message")
    over = data.draw(st.integers(1, 50))
    assert problems([make(letter * (limit + over))]) == (
        f"[ERROR] must be less than {limit + 1} characters [json-pointer:{pointer}]"
    )


COUNTED: dict[str, tuple[Any, int]] = {
    "blocks of a message": (lambda count: [section()] * count, 50),
    "buttons": (lambda count: [actions(*(button(number) for number in range(count)))], 25),
    "context elements": (lambda count: [{"type": "context", "elements": [plain("a")] * count}], 10),
    "fields": (lambda count: [{"type": "section", "fields": [plain("a")] * count}], 10),
    "options": (lambda count: [actions({"type": "static_select", "options": [option("a")] * count})], 100),
    "overflow options": (lambda count: [actions({"type": "overflow", "options": [option("a")] * count})], 5),
    "checkboxes": (lambda count: [actions({"type": "checkboxes", "options": [option("a")] * count})], 10),
    "table rows": (lambda count: [{"type": "table", "rows": [[{"type": "raw_text", "text": "a"}]] * count}], 100),
    "table cells": (lambda count: [{"type": "table", "rows": [[{"type": "raw_text", "text": "a"}] * count]}], 20),
}


@pytest.mark.parametrize("name", COUNTED)
def test_as_many_as_allowed_pass_and_one_more_is_refused(name: str):
    make, limit = COUNTED[name]
    check_blocks(make(1), "message")
    check_blocks(make(limit), "message")
    assert f"no more than {limit} items allowed" in problems(make(limit + 1))


def test_a_view_takes_100_blocks():
    check_blocks([section()] * 100, "modal")
    check_blocks([section()] * 100, "home")
    assert "no more than 100 items" in problems([section()] * 101, "home")


NO_INITIAL = {"type": "static_select", "options": [option("a")], "initial_option": option("b")}


@pytest.mark.parametrize(
    ("blocks", "words"),
    [
        ([{"type": "sectoin"}], "unsupported type: sectoin [json-pointer:/blocks/0/type]"),
        ([{"text": plain("a")}], "missing required field: type [json-pointer:/blocks/0]"),
        ([{"type": "section"}], "missing required field: text or fields"),
        ([{**section(), "colour": "red"}], "additional property: colour [json-pointer:/blocks/0]"),
        ([section("")], "must be more than 0 characters"),
        ([{"type": "header", "text": {"type": "mrkdwn", "text": "a"}}], "/blocks/0/text"),
        ([actions(button(url="not a link"))], "/blocks/0/elements/0/url"),
        ([actions(button(style="green"))], "/blocks/0/elements/0/style"),
        ([actions(button(value=7))], "Input should be a valid string [json-pointer:/blocks/0/elements/0/value]"),
        ([actions({"type": "plain_text_input"})], "unsupported type: plain_text_input"),
        ([actions({"type": "multi_users_select"})], "unsupported type: multi_users_select"),
        ([form(button())], "unsupported type: button [json-pointer:/blocks/0/element/type]"),
        ([actions(NO_INITIAL)], "initial option must match one of the options"),
        ([actions({"type": "static_select"})], "exactly one of options and option_groups"),
        ([actions({"type": "datepicker", "initial_date": "14.3.2026"})], "initial_date"),
        ([actions(button(1), button(1))], "action_id already exists: b1"),
        ([{**section(), "block_id": "a"}, {**section(), "block_id": "a"}], "block_id already exists: a"),
        ([{"type": "markdown", "text": "a" * 7000}] * 2, "less than 12001 characters together"),
        ([{"type": "table", "rows": [[{"type": "raw_text", "text": "a"}]]}] * 2, "only_one_table_allowed"),
        ([{"type": "alert", "text": plain("a")}], "unsupported type: alert"),
        ("no list", "/blocks"),
    ],
)
def test_wrong_blocks_are_refused_in_words(blocks: Any, words: str):
    assert words in problems(blocks)


def test_markdown_and_tables_are_for_messages_and_alerts_for_modals():
    assert "unsupported type: markdown" in problems([{"type": "markdown", "text": "a"}], "modal")
    assert "unsupported type: table" in problems([{"type": "table", "rows": [[]]}], "home")
    assert check_blocks([{"type": "alert", "text": plain("a"), "level": "error"}], "modal")


def test_ids_and_text_defaults_are_filled_in_and_the_original_is_left_alone():
    blocks = [{**section(), "accessory": {"type": "button", "text": plain("Go")}}]
    (filled,) = check_blocks(blocks, "message")
    assert filled["block_id"]
    assert filled["accessory"]["action_id"]
    assert filled["text"]["verbatim"] is False
    assert filled["accessory"]["text"]["emoji"] is True
    assert "block_id" not in blocks[0]


PEOPLE = {"type": "users_select", "initial_user": "U1"}
ELEMENTS = [
    {"type": "static_select", "option_groups": [{"label": plain("g"), "options": [option("a")]}]},
    {"type": "external_select", "min_query_length": 0, "initial_option": option("a")},
    {"type": "conversations_select", "default_to_current_conversation": True, "filter": {"include": ["im"]}},
    {"type": "channels_select", "response_url_enabled": True},
    {"type": "multi_static_select", "options": [option("a"), option("b")], "initial_options": [option("b")]},
    {"type": "multi_external_select", "max_selected_items": 2},
    {"type": "multi_users_select", "initial_users": ["U1"]},
    {"type": "multi_conversations_select"},
    {"type": "multi_channels_select"},
    {"type": "datepicker", "initial_date": "2026-03-14"},
    {"type": "timepicker", "initial_time": "09:30", "timezone": "Europe/London"},
    {"type": "datetimepicker", "initial_date_time": 1_790_000_000},
    {"type": "checkboxes", "options": [option("a")], "initial_options": [option("a")]},
    {"type": "radio_buttons", "options": [option("a")], "initial_option": option("a")},
    {"type": "plain_text_input", "multiline": True, "min_length": 1, "max_length": 3000},
    {"type": "number_input", "is_decimal_allowed": True, "min_value": "-1.5", "max_value": "10"},
    {"type": "email_text_input", "initial_value": "a@example.com"},
    {"type": "url_text_input", "dispatch_action_config": {"trigger_actions_on": ["on_enter_pressed"]}},
    PEOPLE,
]


@pytest.mark.parametrize("element", ELEMENTS, ids=lambda element: str(element["type"]))
def test_every_input_element_passes_in_a_form(element: dict[str, Any]):
    (block,) = check_blocks([form(element, hint=plain("Why"), optional=True)], "modal")
    assert block["element"]["type"] == element["type"]


def test_rich_text_with_all_its_parts_passes_and_an_unknown_part_does_not():
    runs = [
        {"type": "text", "text": "a", "style": {"bold": True}},
        {"type": "link", "url": "https://example.com", "text": "b"},
        {"type": "user", "user_id": "U1"},
        {"type": "channel", "channel_id": "C1"},
        {"type": "emoji", "name": "wave"},
        {"type": "date", "timestamp": 1, "format": "{date}", "fallback": "then"},
        {"type": "broadcast", "range": "here"},
    ]
    paragraph = {"type": "rich_text_section", "elements": runs}
    parts = [
        paragraph,
        {"type": "rich_text_list", "style": "bullet", "indent": 1, "elements": [paragraph]},
        {"type": "rich_text_quote", "elements": runs},
        {"type": "rich_text_preformatted", "elements": [runs[0]], "border": 0},
    ]
    check_blocks([{"type": "rich_text", "elements": parts}], "message")
    odd = {"type": "rich_text_section", "elements": [{"type": "video"}]}
    pointer = "[json-pointer:/blocks/0/elements/0/elements/0/type]"
    assert f"unsupported type: video {pointer}" in problems([{"type": "rich_text", "elements": [odd]}])


@given(
    st.recursive(
        st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_any_json_is_either_checked_or_refused_but_never_a_crash(blocks: Any):
    if blocks == []:
        assert check_blocks(blocks, "message") == []
    else:
        assert "[json-pointer:/blocks" in problems(blocks)


def test_text_is_counted_wherever_it_stands():
    assert count_text([section("abc"), actions(button(text=plain("de")))]) == len("abcde")
