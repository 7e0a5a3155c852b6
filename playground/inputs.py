"""What a person picks or types in an element, as `state.values` and `actions` carry it.

Owns the element types' keys, the picks a person can make, and a form's own refusals; refuses to deliver them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from playground.blockkit.check import elements_of
from playground.errors import ActError
from playground.model import Json

STATE_KEYS = {
    "plain_text_input": "value",
    "number_input": "value",
    "email_text_input": "value",
    "url_text_input": "value",
    "static_select": "selected_option",
    "external_select": "selected_option",
    "radio_buttons": "selected_option",
    "multi_static_select": "selected_options",
    "multi_external_select": "selected_options",
    "checkboxes": "selected_options",
    "users_select": "selected_user",
    "multi_users_select": "selected_users",
    "conversations_select": "selected_conversation",
    "multi_conversations_select": "selected_conversations",
    "channels_select": "selected_channel",
    "multi_channels_select": "selected_channels",
    "datepicker": "selected_date",
    "timepicker": "selected_time",
    "datetimepicker": "selected_date_time",
}
FORMATS = {
    "datepicker": re.compile(r"\d{4}-\d{2}-\d{2}"),
    "timepicker": re.compile(r"\d{2}:\d{2}"),
    "datetimepicker": re.compile(r"\d{10}"),
}
NUMBER = re.compile(r"-?\d+(\.\d+)?")
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
WEB_ADDRESS = re.compile(r"https?://\S+")
REQUIRED = "Please complete this required field."


def initial_values(blocks: list[Json]) -> Json:
    """`state.values` of a surface nobody has touched."""
    values: Json = {}
    for block in blocks:
        for element in elements_of(block):
            key = STATE_KEYS.get(element["type"])
            if key:
                start = element.get(key.replace("selected", "initial") if key != "value" else "initial_value")
                empty: list[Json] | None = [] if key.endswith("s") else None
                state = {"type": element["type"], key: start if start is not None else empty}
                values.setdefault(block["block_id"], {})[element["action_id"]] = state
    return values


def keep_typed(blocks: list[Json], typed: Json) -> Json:
    """`state.values` of changed blocks: what was typed stays where block_id, action_id and type stay."""
    values = initial_values(blocks)
    for block_id, actions in values.items():
        for action_id, state in actions.items():
            before = typed.get(block_id, {}).get(action_id)
            if before and before["type"] == state["type"]:
                actions[action_id] = before
    return values


def find_elements(blocks: list[Json], action_id: str, block_id: str | None = None) -> list[tuple[Json, Json]]:
    """All (block, element) with this action id, in order."""
    return [
        (block, element)
        for block in blocks
        for element in elements_of(block)
        if element["action_id"] == action_id and block_id in {None, block["block_id"]}
    ]


def list_options(element: Json) -> list[Json]:
    """The options an element offers by itself, grouped or not."""
    groups = element.get("option_groups") or []
    return [*(element.get("options") or []), *(option for group in groups for option in group["options"])]


def to_state(element: Json, given: Any, offered: list[Json]) -> Json:
    """The entry of `state.values` for what a person gave.

    Args:
        element: the element, as validated.
        given: a bare value, a list of them, an option object, or an entry of `state.values` itself.
        offered: options the person was offered (the element's own, or those the app answered).

    Raises:
        ActError: the person could not have given that.
    """
    kind = element["type"]
    key = STATE_KEYS[kind]
    if isinstance(given, dict) and key in given:
        given = given[key]
    return {"type": kind, key: read_pick(element, key, given, offered)}


def read_pick(element: Json, key: str, given: Any, offered: list[Json]) -> Any:
    """The value under the element's key."""
    if key.endswith("s"):
        picks = [] if given is None else given if isinstance(given, list) else [given]
        limit = element.get("max_selected_items")
        if limit and len(picks) > limit:
            raise ActError(f"{element['action_id']}: at most {limit} may be chosen")
        return [find_option(element, pick, offered) for pick in picks] if key == "selected_options" else picks
    if given in (None, ""):
        return None
    if key == "selected_option":
        return find_option(element, given, offered)
    expected = FORMATS.get(element["type"])
    if expected and not expected.fullmatch(str(given)):
        raise ActError(f"{element['action_id']}: {given!r} is not what a {element['type']} gives")
    return int(given) if key == "selected_date_time" else str(given)


def find_option(element: Json, given: Any, offered: list[Json]) -> Json:
    """The offered option with this value."""
    value = given.get("value") if isinstance(given, dict) else given
    for option in offered:
        if option["value"] == value:
            return option
    raise ActError(f"{element['action_id']}: no option {value!r} is offered")


def list_form_errors(blocks: list[Json], values: Json) -> dict[str, str]:
    """What Slack's client refuses before it sends a form: {block_id: sentence}."""
    errors = {}
    for block in blocks:
        if block["type"] == "input":
            element = block["element"]
            state = values[block["block_id"]][element["action_id"]]
            problem = check_field(element, state[STATE_KEYS[element["type"]]], is_optional=block.get("optional"))
            if problem:
                errors[block["block_id"]] = problem
    return errors


def check_field(element: Json, value: Any, *, is_optional: bool | None) -> str | None:
    """The client's sentence about one field, or None."""
    if value in (None, "", []):
        return None if is_optional else REQUIRED
    checker = CHECKERS.get(element["type"])
    return checker(element, value) if checker else None


def check_length(element: Json, value: str) -> str | None:
    """Length of free text, in characters."""
    least, most = element.get("min_length", 0), element.get("max_length", 3000)
    if len(value) < least:
        return f"This entry needs to be at least {least} characters."
    return f"This entry needs to be less than {most + 1} characters." if len(value) > most else None


def check_number(element: Json, value: str) -> str | None:
    """A number, its decimals and range."""
    if not NUMBER.fullmatch(value):
        return "Must be a number."
    if "." in value and not element["is_decimal_allowed"]:
        return "Must be a whole number."
    if "min_value" in element and float(value) < float(element["min_value"]):
        return f"Must be at least {element['min_value']}."
    if "max_value" in element and float(value) > float(element["max_value"]):
        return f"Must be at most {element['max_value']}."
    return None


CHECKERS: dict[str, Callable[[Json, Any], str | None]] = {
    "plain_text_input": check_length,
    "number_input": check_number,
    "email_text_input": lambda _, value: None if EMAIL.fullmatch(value) else "Must be a valid email address.",
    "url_text_input": lambda _, value: None if WEB_ADDRESS.fullmatch(value) else "Must be a valid URL.",
}
