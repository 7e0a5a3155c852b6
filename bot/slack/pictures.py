"""Messages with a picture: it is drawn and uploaded first, private to the app, then shown by a block of the message.
Owns these steps and what becomes of a message whose picture fails; posting itself is `delivery_requests`'.

The promise of delivery holds as without a picture: only the post is looked up by its key, and an upload that nothing
shows does no harm. Slack takes a moment to know an uploaded file, and refuses the message until then ("invalid_blocks",
so nothing was posted). A message is sent without a picture that could not be made, with its words instead.

Source: https://docs.slack.dev/reference/block-kit/composition-objects/slack-file-object and the issues of Slack's SDKs
about `slack_file` right after an upload.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import structlog
from aiohttp import ClientError, ClientSession
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack import delivery_requests
from bot.slack.delivery_requests import Parcel
from commands.kit import clip, context
from commands.slice import Picture
from rules.delivery.outbox import Outcome

NOT_YET_KNOWN = "invalid_blocks"
WAITS: Sequence[float] = (0.0, 1.0, 2.0)
"""Seconds before each attempt to post with the picture."""
_ALT_LENGTH = 2000
_OK = 200
_log = structlog.get_logger(__name__)


async def send(client: AsyncWebClient, parcel: Parcel, timeout_seconds: float, deadline: float) -> Outcome:
    """Post the parcel, or change the message it names, with its picture if it has one. Nothing is posted after
    `deadline` (loop time): by then the message may be another's to send.
    """
    picture = parcel.message.picture
    if picture is None:
        return await delivery_requests.send(client, parcel, timeout_seconds)
    file_id = await _upload(client, picture, timeout_seconds)
    if file_id:
        outcome = await _send_with(client, _add(parcel, _show(picture, file_id)), timeout_seconds, deadline)
        if outcome.error != NOT_YET_KNOWN:
            return outcome
        _log.warning("picture_refused", name=picture.name)
    if _is_over(deadline):
        return _too_late()
    return await delivery_requests.send(client, _add(parcel, context(picture.alt)), timeout_seconds)


async def _send_with(client: AsyncWebClient, parcel: Parcel, timeout_seconds: float, deadline: float) -> Outcome:
    outcome = _too_late()
    for wait in WAITS:
        await asyncio.sleep(wait)
        if _is_over(deadline):
            return _too_late()
        outcome = await delivery_requests.send(client, parcel, timeout_seconds)
        if outcome.error != NOT_YET_KNOWN:
            return outcome
    return outcome


async def _upload(client: AsyncWebClient, picture: Picture, timeout_seconds: float) -> str:
    """The id of the uploaded file, "" where drawing or uploading failed."""
    try:
        data = await asyncio.to_thread(picture.draw)
        async with asyncio.timeout(timeout_seconds):
            return await _put(client, picture.name, data)
    except (SlackApiError, ClientError, OSError, KeyError) as error:
        _log.warning("picture_not_uploaded", name=picture.name, error=_code(error))
    except ImportError as error:
        _log.warning("picture_not_drawn", name=picture.name, error=str(error))
    except Exception:  # noqa: BLE001  # a bug in a picture must not keep its message back
        _log.exception("picture_not_drawn", name=picture.name)
    return ""


async def _put(client: AsyncWebClient, name: str, data: bytes) -> str:
    """Ask where to, send the bytes, and say that they are there; without a channel nobody sees the file yet."""
    place: Any = await client.files_getUploadURLExternal(filename=name, length=len(data))
    async with ClientSession() as session, session.post(place["upload_url"], data=data) as response:
        if response.status != _OK:
            raise ClientError(f"the upload was answered {response.status}")
    file_id = str(place["file_id"])
    await client.files_completeUploadExternal(files=[{"id": file_id, "title": name}])
    return file_id


def _show(picture: Picture, file_id: str) -> dict[str, Any]:
    return {"type": "image", "slack_file": {"id": file_id}, "alt_text": clip(picture.alt, _ALT_LENGTH)}


def _add(parcel: Parcel, block: dict[str, Any]) -> Parcel:
    blocks = (*parcel.message.blocks, block)
    return replace(parcel, message=replace(parcel.message, blocks=blocks, picture=None))


def _is_over(deadline: float) -> bool:
    return asyncio.get_running_loop().time() > deadline


def _too_late() -> Outcome:
    return Outcome("lease too short", None, was_sent=False)


def _code(error: Exception) -> str:
    return str(error.response.get("error", "")) if isinstance(error, SlackApiError) else type(error).__name__
