"""The requests delivery makes to Slack. Owns how a message is posted, changed and found again, and how every way
a request can end becomes one `Outcome`; refuses to decide what follows from it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from aiohttp import ClientConnectorError, ClientError, ClientSession, DummyCookieJar, TCPConnector
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from commands.slice import Message
from rules.delivery.channels import is_person
from rules.delivery.outbox import Outcome

EVENT_TYPE = "milepost"

# How far our clock may be ahead of Slack's without a look-up missing a message: somebody may have set the wrong day.
_CLOCK_MARGIN = timedelta(hours=25)
_HISTORY_PAGE = 200
_KEPT_SECONDS = 5.0
# A logger without a level of its own would make the SDK spell out every request for nobody.
_QUIET = logging.getLogger(f"{__name__}.sdk")
_QUIET.setLevel(logging.INFO)
_TELLING_STATUSES = frozenset({429, 500, 502, 503, 504})


@dataclass(frozen=True)
class Parcel:
    """A rendered message and where it goes: `ts` of the message to change, or `thread_ts` to reply to, or neither."""

    message: Message
    key: str
    channel: str
    ts: str = ""
    thread_ts: str = ""


def open_client(token: str, base_url: str, timeout_seconds: float = 10.0) -> AsyncWebClient:
    """A client that never repeats a request by itself: the SDK's default handler posts twice when Slack accepted a
    message and the connection dropped. Repeating is delivery's work.
    """
    return AsyncWebClient(
        token=token, base_url=base_url, timeout=round(timeout_seconds), retry_handlers=[], logger=_QUIET
    )


def open_session(connections: int) -> ClientSession:
    """Connections to Slack that are kept between requests. Not for long: one that Slack closes in the very moment we
    write to it leaves us uncertain whether the request arrived.
    """
    connector = TCPConnector(limit=connections, keepalive_timeout=_KEPT_SECONDS)
    return ClientSession(connector=connector, cookie_jar=DummyCookieJar())


async def send(client: AsyncWebClient, parcel: Parcel, timeout_seconds: float) -> Outcome:
    """Post the parcel, or change the message it names."""
    text, blocks = parcel.message.text, list(parcel.message.blocks)
    if parcel.ts:
        return await _outcome(
            client.chat_update(channel=parcel.channel, ts=parcel.ts, text=text, blocks=blocks), timeout_seconds
        )
    request = client.chat_postMessage(
        channel=parcel.channel,
        text=text,
        blocks=blocks or None,
        thread_ts=parcel.thread_ts or None,
        metadata={"event_type": EVENT_TYPE, "event_payload": {"key": parcel.key}},
        unfurl_links=False,
        unfurl_media=False,
    )
    return await _outcome(request, timeout_seconds)


async def join(client: AsyncWebClient, channel: str, timeout_seconds: float) -> Outcome:
    """Become a member of a public channel; Slack refuses this for private ones."""
    return await _outcome(client.conversations_join(channel=channel), timeout_seconds)


async def delete(client: AsyncWebClient, channel: str, ts: str, timeout_seconds: float) -> Outcome:
    """Take a message of ours away."""
    return await _outcome(client.chat_delete(channel=channel, ts=ts), timeout_seconds)


async def ask_channel(
    client: AsyncWebClient, channel: str, timeout_seconds: float
) -> tuple[Outcome, Mapping[str, Any]]:
    """What Slack knows of a channel: its conversation object, empty unless the outcome is ok."""
    outcome, body = await _answer(client.conversations_info(channel=channel), timeout_seconds)
    found = (body or {}).get("channel")
    return outcome, found if isinstance(found, dict) else {}


async def ask_token(client: AsyncWebClient, timeout_seconds: float) -> Outcome:
    """Whether Slack takes the client's token."""
    return await _outcome(client.auth_test(), timeout_seconds)


@dataclass(frozen=True)
class Search:
    """Where a message would be if an uncertain request took effect. `since` is the wall time of the first attempt."""

    key: str
    channel: str
    since: datetime
    thread_ts: str = ""


async def find_copies(client: AsyncWebClient, search: Search, timeout_seconds: float) -> tuple[Outcome, list[str]]:
    """The ts of every message with the key, oldest first, with the channel in the outcome. The list means something
    only if the outcome is ok.
    """
    opened = await _open(client, search.channel, timeout_seconds)
    if opened.error:
        return opened, []
    found: list[str] = []
    cursor = ""
    while True:
        outcome, page = await _read_page(client, search, opened.channel, cursor, timeout_seconds)
        if page is None:
            return outcome, []
        found += [str(each["ts"]) for each in page.get("messages", ()) if _has_key(each, search.key)]
        cursor = str((page.get("response_metadata") or {}).get("next_cursor") or "")
        if not cursor:
            return opened, sorted(found)


async def _open(client: AsyncWebClient, channel: str, timeout_seconds: float) -> Outcome:
    """The conversation itself: for a person, the direct message with them."""
    if not is_person(channel):
        return Outcome(channel=channel)
    return await _outcome(client.conversations_open(users=channel), timeout_seconds)


async def _read_page(
    client: AsyncWebClient, search: Search, channel: str, cursor: str, timeout_seconds: float
) -> tuple[Outcome, Mapping[str, Any] | None]:
    arguments: dict[str, Any] = {
        "channel": channel,
        "oldest": f"{(search.since - _CLOCK_MARGIN).timestamp():.6f}",
        "include_all_metadata": True,
        "limit": _HISTORY_PAGE,
        "cursor": cursor or None,
    }
    if search.thread_ts:
        return await _answer(client.conversations_replies(ts=search.thread_ts, **arguments), timeout_seconds)
    return await _answer(client.conversations_history(**arguments), timeout_seconds)


def _has_key(message: Mapping[str, Any], key: str) -> bool:
    metadata = message.get("metadata") or {}
    return metadata.get("event_type") == EVENT_TYPE and (metadata.get("event_payload") or {}).get("key") == key


async def _outcome(request: Awaitable[AsyncSlackResponse], timeout_seconds: float) -> Outcome:
    return (await _answer(request, timeout_seconds))[0]


async def _answer(
    request: Awaitable[AsyncSlackResponse], timeout_seconds: float
) -> tuple[Outcome, Mapping[str, Any] | None]:
    """Wait for a request; every way it can end is an outcome, with the body only when Slack said ok."""
    try:
        async with asyncio.timeout(timeout_seconds):
            response = await request
        body: Mapping[str, Any] = dict(response.data)  # type: ignore[arg-type]  # bytes fail here, as they should
    except TimeoutError:
        return Outcome("timeout", None), None
    except SlackApiError as error:
        return _refusal(error), None
    except ClientConnectorError as error:
        return Outcome(f"no connection: {error.strerror or error}", None, was_sent=False), None
    except (ClientError, OSError, ValueError, TypeError, AttributeError) as error:
        # The last three: an answer that is no JSON object, on which the SDK stumbles.
        return Outcome(f"unreadable answer: {type(error).__name__}", None), None
    channel = body.get("channel")
    where = channel.get("id") if isinstance(channel, dict) else channel
    return Outcome(channel=str(where or ""), ts=str(body.get("ts") or "")), body


def _refusal(error: SlackApiError) -> Outcome:
    """What Slack refused with. A refusal without a code, other than 429 and 5xx, says nothing about what happened."""
    response = error.response
    status = getattr(response, "status_code", None)
    data = getattr(response, "data", None)
    code = str(data.get("error") or "") if isinstance(data, dict) else ""
    headers = {str(name).lower(): value for name, value in dict(getattr(response, "headers", None) or {}).items()}
    has_meaning = code or status in _TELLING_STATUSES
    return Outcome(
        code or f"HTTP {status}",
        status if has_meaning else None,
        retry_after=_read_seconds(headers.get("retry-after")),
    )


def _read_seconds(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None
