"""Turns validation errors into sentences as Slack's API writes them, with JSON pointers.

Owns the wording; refuses to decide which error code they come under.
"""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

SENTENCES = {
    "string_too_long": "must be less than {over} characters",
    "string_too_short": "must be more than {under} characters",
    "too_long": "no more than {max_length} items allowed",
    "too_short": "at least {min_length} items are required",
}


def describe(error: ValidationError, data: Any, root: str) -> list[str]:
    """One sentence for each problem in `data`; `root` is the JSON pointer of `data` ("" for a whole body)."""
    return [f"[ERROR] {sentence(detail, data, root)}" for detail in error.errors(include_url=False)]


def sentence(detail: ErrorDetails, data: Any, root: str) -> str:
    """One problem in Slack's words."""
    kind, context = detail["type"], detail.get("ctx", {})
    pointer, missed = pointer_to(detail["loc"], data, root)
    if kind == "missing":
        return f"missing required field: {missed} [json-pointer:{pointer}]"
    if kind == "extra_forbidden":
        parent, _, name = pointer.rpartition("/")
        return f"additional property: {name} [json-pointer:{parent}]"
    if kind == "union_tag_invalid":
        return f"unsupported type: {context['tag']} [json-pointer:{pointer}/type]"
    if kind == "union_tag_not_found":
        return f"missing required field: type [json-pointer:{pointer}]"
    limits = {**context, "over": context.get("max_length", 0) + 1, "under": context.get("min_length", 0) - 1}
    words = SENTENCES[kind].format(**limits) if kind in SENTENCES else detail["msg"]
    inside = f"/{context['inside']}" if "inside" in context else ""
    return f"{words} [json-pointer:{pointer}{inside}]"


def pointer_to(location: tuple[int | str, ...], data: Any, root: str) -> tuple[str, str]:
    """The JSON pointer of a pydantic location, and the last step that `data` does not have.

    Pydantic puts the tags of discriminated unions into locations; those are no part of the data and are left out.
    """
    here, pointer, missed = data, root, ""
    for step in location:
        if is_step(here, step):
            here, pointer = here[step], f"{pointer}/{step}"
        else:
            missed = str(step)
    return pointer, missed


def is_step(node: Any, step: int | str) -> bool:
    """Whether JSON has something under a key or index."""
    if isinstance(node, list):
        return isinstance(step, int) and step < len(node)
    return isinstance(node, dict) and step in node
