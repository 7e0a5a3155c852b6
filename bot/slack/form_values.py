"""What a person chose or typed in one element of a form or message. Owns Slack's shapes of a value only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]
Value = str | list[str] | None

# Where each element keeps its value; elements with several values hold a list.
_PLAIN = (
    "value",
    "selected_user",
    "selected_channel",
    "selected_conversation",
    "selected_date",
    "selected_time",
    "selected_date_time",
)
_LISTS = ("selected_users", "selected_channels", "selected_conversations")


def read_element(element: Mapping[str, Any]) -> Value:
    """The value of an element as text, as a list for those of several choices, None where it is empty."""
    option = element.get("selected_option")
    if isinstance(option, Mapping):
        return str(option.get("value", "")) or None
    options = element.get("selected_options")
    if isinstance(options, list):
        return [str(each.get("value", "")) for each in options if isinstance(each, Mapping)]
    for name in _LISTS:
        if isinstance(element.get(name), list):
            return [str(each) for each in element[name]]
    found = next((element[name] for name in _PLAIN if element.get(name) not in (None, "")), None)
    return None if found is None else str(found)


def read_state(view: Mapping[str, Any]) -> dict[str, Value]:
    """The fields of a form by block id (each input block has one element)."""
    values = (view.get("state") or {}).get("values") or {}
    return {
        block_id: read_element(element)
        for block_id, elements in values.items()
        for element in list(elements.values())[:1]
    }


def refill(view: Mapping[str, Any]) -> list[Json]:
    """The blocks of a submitted form with what the person typed as their initial values, to show it once more."""
    values = (view.get("state") or {}).get("values") or {}
    blocks: list[Json] = []
    for block in view.get("blocks") or []:
        state = next(iter((values.get(block.get("block_id")) or {}).values()), None)
        is_input = block.get("type") == "input" and isinstance(state, Mapping)
        blocks.append({**block, "element": _with_initial(block["element"], state or {})} if is_input else dict(block))
    return blocks


def _with_initial(element: Mapping[str, Any], state: Mapping[str, Any]) -> Json:
    bare = {name: value for name, value in element.items() if not name.startswith("initial_")}
    for name, value in state.items():
        if name == "value" or name.startswith("selected_"):
            initial = "initial_value" if name == "value" else name.replace("selected_", "initial_", 1)
            if value not in (None, "", []):
                bare[initial] = value
    return bare
