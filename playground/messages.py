"""Checks what an app wants to say, wherever it says it: Web API, acknowledgement or response URL.

Owns text and block limits of messages and their error codes; refuses to store anything.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from playground.blockkit.check import MESSAGE_TEXT_LIMIT, BlocksError, check_blocks, count_text
from playground.errors import RefusalError
from playground.model import Json
from playground.problems import describe

TEXT_LIMIT = 40_000
ATTACHMENTS_LIMIT = 100


class Attachment(BaseModel):
    """A secondary attachment: a coloured bar with blocks or plain legacy fields."""

    model_config = ConfigDict(extra="forbid", strict=True)

    color: str | None = None
    fallback: str | None = None
    text: str | None = None
    pretext: str | None = None
    title: str | None = None
    title_link: str | None = None
    footer: str | None = None
    blocks: Any = None
    mrkdwn_in: list[str] | None = None


class Metadata(BaseModel):
    """Message metadata; `event_payload` is any object."""

    model_config = ConfigDict(extra="forbid", strict=True)

    event_type: str
    event_payload: dict[str, Any]


def decode(value: Any, code: str) -> Any:
    """JSON that may have come as text in a form; raises RefusalError with `code`."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError as error:
        raise RefusalError(code) from error


def check_content(content: Mapping[str, Any], text_limit: int = TEXT_LIMIT) -> Json:
    """The fields of a message that are given, checked and completed.

    Args:
        content: may hold text, markdown_text, blocks, attachments, metadata; other keys are left out.
        text_limit: characters of `text`.

    Raises:
        RefusalError: msg_too_long, invalid_blocks, invalid_blocks_format, msg_blocks_too_long,
            too_many_attachments, invalid_attachments, markdown_text_conflict, invalid_metadata_format.
    """
    checked: Json = {}
    if content.get("text") is not None:
        checked["text"] = check_text(content["text"], text_limit)
    if content.get("markdown_text"):
        if content.get("text") or content.get("blocks"):
            raise RefusalError("markdown_text_conflict")
        checked["blocks"] = check_message_blocks([{"type": "markdown", "text": content["markdown_text"]}])
    if content.get("blocks") is not None:
        checked["blocks"] = check_message_blocks(decode(content["blocks"], "invalid_blocks_format"))
    if content.get("attachments") is not None:
        checked["attachments"] = check_attachments(decode(content["attachments"], "invalid_attachments"))
    if content.get("metadata") is not None:
        checked["metadata"] = check_metadata(decode(content["metadata"], "invalid_metadata_format"))
    return checked


def check_text(text: Any, limit: int) -> str:
    """A message's text within its limit, in characters."""
    if not isinstance(text, str):
        raise RefusalError("invalid_arguments", ["[ERROR] must be a string [json-pointer:/text]"])
    if len(text) > limit:
        raise RefusalError("msg_too_long")
    return text


def check_message_blocks(blocks: Any) -> list[Json]:
    """A message's blocks, their text within its total."""
    try:
        checked = check_blocks(blocks, "message")
    except BlocksError as error:
        raise RefusalError("invalid_blocks", error.messages) from error
    if count_text(checked) > MESSAGE_TEXT_LIMIT:
        raise RefusalError("msg_blocks_too_long")
    return checked


def check_attachments(attachments: Any) -> list[Json]:
    """A message's attachments."""
    if not isinstance(attachments, list):
        raise RefusalError("invalid_attachments")
    if len(attachments) > ATTACHMENTS_LIMIT:
        raise RefusalError("too_many_attachments")
    checked = []
    for number, attachment in enumerate(attachments, start=1):
        try:
            Attachment.model_validate(attachment)
        except ValidationError as error:
            raise RefusalError("invalid_attachments", describe(error, attachment, "/attachments")) from error
        blocks = attachment.get("blocks")
        held = {"blocks": check_message_blocks(blocks)} if blocks else {}
        checked.append({"id": number, **attachment, **held})
    return checked


def check_metadata(metadata: Any) -> Json | None:
    """A message's metadata; an empty object removes it."""
    if metadata == {}:
        return None
    try:
        return Metadata.model_validate(metadata).model_dump()
    except ValidationError as error:
        raise RefusalError("invalid_metadata_format", describe(error, metadata, "/metadata")) from error


def refuse_empty(content: Mapping[str, Any]) -> None:
    """A message says something; raises RefusalError `no_text`."""
    if not (content.get("text") or content.get("blocks") or content.get("attachments")):
        raise RefusalError("no_text")
