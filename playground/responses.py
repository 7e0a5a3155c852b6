"""Answers to interactions: acknowledgement bodies of commands and the response URLs.

Owns what such an answer may hold and does (new, replace, delete; note or message); `triggers` owns the URLs' life.
"""

from __future__ import annotations

from typing import Any, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, ValidationError

from playground.core import Core
from playground.errors import RefusalError
from playground.manifest import App
from playground.messages import check_content, refuse_empty
from playground.model import Json, Message
from playground.problems import describe
from playground.triggers import ResponseUrl

STATUSES = {"used_url": 404, "expired_url": 404, "invalid_url": 404}


class ResponseIn(BaseModel):
    """An answer as an app sends it."""

    model_config = ConfigDict(extra="forbid")

    text: str | None = None
    blocks: Any = None
    attachments: Any = None
    metadata: Any = None
    response_type: Literal["ephemeral", "in_channel"] = "ephemeral"
    replace_original: bool = False
    delete_original: bool = False
    thread_ts: str | None = None
    mrkdwn: bool | None = None
    unfurl_links: bool | None = None
    unfurl_media: bool | None = None
    link_names: bool | None = None
    parse: str | None = None


def read_response(body: Any) -> ResponseIn:
    """An answer's fields; plain text is an answer too. Raises RefusalError `invalid_payload`."""
    try:
        return ResponseIn.model_validate({"text": body} if isinstance(body, str) else body)
    except ValidationError as error:
        raise RefusalError("invalid_payload", describe(error, body, "")) from error


def apply_response(core: Core, app: App, permit: ResponseUrl, answer: ResponseIn) -> Message | None:
    """Do what an answer says; the message it made or changed, None when it deleted one.

    Raises:
        RefusalError: the content is refused, or the original is gone.
    """
    original = find_original(core, permit)
    if answer.delete_original:
        if original is None:
            raise RefusalError("message_not_found")
        core.workspace.delete_message(original)
        return None
    content = check_content(answer.model_dump(exclude_none=True))
    refuse_empty(content)
    if answer.replace_original and original is not None:
        return replace(core, app, original, content)
    return add(core, app, permit, answer, content)


def find_original(core: Core, permit: ResponseUrl) -> Message | None:
    """The message that an interaction came from, if it still stands."""
    if permit.message_ts is None:
        return None
    note = core.workspace.ephemerals.get(permit.message_ts)
    return note or core.workspace.find_message(permit.channel, permit.message_ts)


def replace(core: Core, app: App, original: Message, content: Json) -> Message:
    """Change the original."""
    blank: Json = {"text": "", "blocks": [], "attachments": []}
    changes = {**blank, **content}
    if original.ephemeral_to is None:
        changes["edited"] = {"user": app.bot_user_id, "ts": core.workspace.ids.mint_ts()}
    return core.workspace.change_message(original, changes)


def add(core: Core, app: App, permit: ResponseUrl, answer: ResponseIn, content: Json) -> Message:
    """A new message in the channel, or a note for the person who acted."""
    channel = core.workspace.channels[permit.channel]
    thread_ts = answer.thread_ts or permit.thread_ts
    message = core.workspace.new_app_message(app, channel, thread_ts=thread_ts, **content)
    if answer.response_type == "in_channel":
        return core.workspace.add_message(message)
    message.ephemeral_to = permit.user
    return core.workspace.add_ephemeral(message)


class ResponseUrls:
    """The HTTP endpoints behind response URLs."""

    def __init__(self, core: Core) -> None:
        self.core = core

    def routes(self) -> list[web.RouteDef]:
        """Both forms of the address."""
        return [web.post("/commands/{key}", self.answer), web.post("/actions/{key}", self.answer)]

    async def answer(self, request: web.Request) -> web.Response:
        """Take an answer sent to a response URL."""
        body: Any = None
        try:
            body = await request.json()
            permit = self.core.permits.use_response_url(request.match_info["key"])
            apply_response(self.core, self.core.workspace.apps[permit.app_id], permit, read_response(body))
        except ValueError:
            return self.refuse(RefusalError("invalid_payload"), await request.text())
        except RefusalError as refusal:
            return self.refuse(refusal, body)
        self.core.ledger.write("response_url", request.path, body, "ok")
        return web.json_response({"ok": True})

    def refuse(self, refusal: RefusalError, body: Any) -> web.Response:
        """Refuse an answer, as Slack does, with a status and a code."""
        self.core.ledger.write("response_url", "refused", body, refusal.code)
        return web.json_response(refusal.to_json(), status=STATUSES.get(refusal.code, 400))
