"""Checks the blocks of a surface as a whole and fills in the ids that Slack generates.

Owns the rules between blocks (uniqueness, totals, counts); the shapes are owned by `layout` and `elements`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError

from playground.blockkit.layout import MARKDOWN_LIMIT, HomeBlock, MessageBlock, ModalBlock
from playground.errors import PlaygroundError
from playground.ids import mint_block_id
from playground.model import Json
from playground.problems import describe

Surface = Literal["message", "modal", "home"]
MESSAGE_BLOCKS_LIMIT = 50
VIEW_BLOCKS_LIMIT = 100
MESSAGE_TEXT_LIMIT = 13_000
NO_ACTION_TYPES = frozenset({"image", "plain_text", "mrkdwn"})

ADAPTERS: dict[Surface, TypeAdapter[Any]] = {
    "message": TypeAdapter(Annotated[list[MessageBlock], Field(max_length=MESSAGE_BLOCKS_LIMIT)]),
    "modal": TypeAdapter(Annotated[list[ModalBlock], Field(max_length=VIEW_BLOCKS_LIMIT)]),
    "home": TypeAdapter(Annotated[list[HomeBlock], Field(max_length=VIEW_BLOCKS_LIMIT)]),
}


class BlocksError(PlaygroundError):
    """Blocks that Slack would refuse; `messages` are its sentences."""

    def __init__(self, messages: list[str]) -> None:
        super().__init__("; ".join(messages))
        self.messages = messages


def check_blocks(blocks: Any, surface: Surface, root: str = "/blocks") -> list[Json]:
    """The blocks as Slack would keep them.

    Args:
        blocks: decoded JSON, of any shape.
        surface: where they are to be shown.
        root: their JSON pointer, for the messages.

    Raises:
        BlocksError: a shape, a limit or a rule between blocks is broken.
    """
    try:
        ADAPTERS[surface].validate_python(blocks)
    except ValidationError as error:
        raise BlocksError(describe(error, blocks, root)) from error
    problems = [f"[ERROR] {words} [json-pointer:{root}]" for words in list_rule_breaks(blocks)]
    if problems:
        raise BlocksError(problems)
    return fill_ids(blocks)


def list_rule_breaks(blocks: list[Json]) -> Iterator[str]:
    """Broken rules between blocks, in Slack's words."""
    block_ids = Counter(block["block_id"] for block in blocks if block.get("block_id"))
    for block_id, count in block_ids.items():
        if count > 1:
            yield f"block_id already exists: {block_id}"
    for block in blocks:
        action_ids = Counter(element["action_id"] for element in elements_of(block) if element.get("action_id"))
        for action_id, count in action_ids.items():
            if count > 1:
                yield f"action_id already exists: {action_id}"
    if sum(element.get("focus_on_load", False) for block in blocks for element in elements_of(block)) > 1:
        yield "only one element can have focus_on_load"
    if sum(len(block["text"]) for block in blocks if block["type"] == "markdown") > MARKDOWN_LIMIT:
        yield f"markdown blocks must be less than {MARKDOWN_LIMIT + 1} characters together"
    if sum(block["type"] == "table" for block in blocks) > 1:
        yield "only_one_table_allowed"


def elements_of(block: Json) -> list[Json]:
    """The elements of a block that can send actions or hold a value."""
    held = [block.get("accessory"), block.get("element")]
    held += block.get("elements", []) if block["type"] in {"actions", "context"} else []
    return [element for element in held if element and element["type"] not in NO_ACTION_TYPES]


def fill_ids(blocks: list[Json]) -> list[Json]:
    """A copy with a block_id in every block, an action_id in every element, and Slack's defaults in texts."""
    filled = deepcopy(blocks)
    for block in filled:
        block.setdefault("block_id", mint_block_id())
        for element in elements_of(block):
            element.setdefault("action_id", mint_block_id())
    fill_text_defaults(filled)
    return filled


def fill_text_defaults(node: Any) -> None:
    """Add `emoji` and `verbatim` where an app left them out, as Slack does."""
    if isinstance(node, list):
        for item in node:
            fill_text_defaults(item)
    elif isinstance(node, dict):
        if node.get("type") == "plain_text":
            node.setdefault("emoji", True)
        elif node.get("type") == "mrkdwn":
            node.setdefault("verbatim", False)
        for value in node.values():
            fill_text_defaults(value)


def count_text(node: Any) -> int:
    """Characters of all `text` fields below a node."""
    if isinstance(node, list):
        return sum(count_text(item) for item in node)
    if not isinstance(node, dict):
        return 0
    own = len(node["text"]) if isinstance(node.get("text"), str) else 0
    return own + sum(count_text(value) for value in node.values())
