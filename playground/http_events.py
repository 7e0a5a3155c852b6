"""Signed HTTP: payloads posted to an app's request URLs, as Slack signs and frames them.

Owns signature v0, bodies and retry headers of one attempt; `dispatch` owns how often it is tried.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout

from playground.delivery import Ack, Parcel
from playground.manifest import App

FORM = "application/x-www-form-urlencoded"


@dataclass
class HttpSender:
    """Posts parcels. `clock` returns seconds since the epoch."""

    session: ClientSession
    clock: Callable[[], float]

    async def send(self, app: App, parcel: Parcel, seconds: float) -> Ack:
        """Post a parcel, as often as it has copies, and wait for the answer to the first."""
        posts = (self.post(app, parcel, seconds) for _ in range(parcel.copies))
        return (await asyncio.gather(*posts))[0]

    async def post(self, app: App, parcel: Parcel, seconds: float) -> Ack:
        """Post a parcel once."""
        url = app.url_for(parcel.kind, parcel.command)
        if url is None:
            return Ack(error="dispatch_failed")
        body, content_type = frame(parcel)
        headers = sign(app.signing_secret, str(int(self.clock())), body) | {"Content-Type": content_type}
        if parcel.retry:
            headers["X-Slack-Retry-Num"] = str(parcel.retry.number)
            headers["X-Slack-Retry-Reason"] = parcel.retry.reason
        try:
            timeout = ClientTimeout(total=seconds)
            async with self.session.post(url, data=body, headers=headers, timeout=timeout) as response:
                return await read_answer(response)
        except TimeoutError:
            return Ack(error="operation_timeout")
        except ClientError:
            return Ack(error="dispatch_failed")


def frame(parcel: Parcel) -> tuple[bytes, str]:
    """The body and its content type: a form for commands, a `payload` field for interactions, JSON for events."""
    if parcel.kind == "events":
        return json.dumps(parcel.payload).encode(), "application/json"
    fields: Mapping[str, Any] = parcel.payload if parcel.kind == "commands" else {"payload": json.dumps(parcel.payload)}
    return urlencode(fields).encode(), FORM


def sign(signing_secret: str, timestamp: str, body: bytes) -> dict[str, str]:
    """Slack's signature headers, version v0."""
    base = b"v0:" + timestamp.encode() + b":" + body
    digest = hmac.new(signing_secret.encode(), base, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": f"v0={digest}"}


async def read_answer(response: ClientResponse) -> Ack:
    """An app's HTTP answer; `is_final` when it forbids retries."""
    is_final = response.headers.get("X-Slack-No-Retry") == "1"
    if response.status >= HTTPStatus.MULTIPLE_CHOICES:
        return Ack(error=f"http_error_{response.status}", is_final=is_final)
    text = await response.text()
    if response.content_type != "application/json" or not text:
        return Ack(text or None)
    try:
        return Ack(json.loads(text))
    except ValueError:
        return Ack(error="invalid_response")
