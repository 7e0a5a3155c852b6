"""The Web API's request path: parsing, token, scope, arguments, ledger.

Owns everything around a method; the `methods_*` modules own what each does, `api_faults` what may go wrong.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from pydantic import ValidationError

from playground.api_faults import strike
from playground.core import Core
from playground.errors import RefusalError
from playground.manifest import App
from playground.method import AnyMethod, Call
from playground.methods import METHODS
from playground.model import Json

BEARER = "Bearer "


@dataclass(frozen=True)
class Received:
    """A request as read: raw arguments and token."""

    method: str
    args: Json
    token: str | None


class Api:
    """The endpoint `/api/METHOD`, for GET and POST, forms and JSON."""

    def __init__(self, core: Core) -> None:
        self.core = core

    def routes(self) -> list[web.RouteDef]:
        """Where it listens."""
        return [web.route(verb, "/api/{method}", self.handle) for verb in ("GET", "POST")]

    async def handle(self, request: web.Request) -> web.Response:
        """Answer one call; refusals are HTTP 200 with `ok: false`, as in Slack."""
        method = request.match_info["method"]
        try:
            received = await read_request(request)
        except RefusalError as refusal:
            self.core.ledger.write("api", method, {}, refusal.code)
            return web.json_response(refusal.to_json())
        fault = self.core.find_fault(method, received.args)
        if fault is None:
            return self.apply(received)
        number = self.core.note_strike(method, received.args, fault)
        return await strike(self.core, request, fault, lambda: self.apply(received, number))

    def apply(self, received: Received, struck_by: int = 0) -> web.Response:
        """Do a call, note it, and answer."""
        start = time.perf_counter()
        headers: dict[str, str] = {}
        try:
            body, outcome = self.run(received), "ok"
            headers["X-OAuth-Scopes"] = ",".join(sorted(self.authorize(received.token)[0].scopes))
        except RefusalError as refusal:
            body, outcome = refusal.to_json(), refusal.code
        place = {key: body[key] for key in ("channel", "ts") if isinstance(body.get(key), str)}
        seconds = time.perf_counter() - start
        noted = {"place": place, "struck_by": struck_by}
        self.core.ledger.write("api", received.method, received.args, outcome, seconds, **noted)
        return web.json_response(body, headers=headers)

    def run(self, received: Received) -> Json:
        """Check a call and do it."""
        method = METHODS.get(received.method)
        if method is None:
            raise RefusalError("unknown_method", req_method=received.method)
        app, is_app_level = self.authorize(received.token)
        if is_app_level != method.is_app_level:
            raise RefusalError("not_allowed_token_type")
        call = Call(self.core, app)
        if method.scope:
            call.need_scope(method.scope)
        return {"ok": True, **method.run(call, read_arguments(method, received.args))}

    def authorize(self, token: str | None) -> tuple[App, bool]:
        """The app of a token and whether it is the app-level one.

        Raises:
            RefusalError: not_authed, invalid_auth, account_inactive, token_revoked.
        """
        if not token:
            raise RefusalError("not_authed")
        for app in self.core.workspace.apps.values():
            if token in app.dead_tokens:
                raise RefusalError(app.dead_tokens[token])
            if token in {app.bot_token, app.app_token}:
                return app, token == app.app_token
        raise RefusalError("invalid_auth")


async def read_request(request: web.Request) -> Received:
    """Arguments and token of a request, from its query, form or JSON body."""
    args: Json = dict(request.query)
    if request.content_type == "application/json":
        args |= read_json(await request.text())
    else:
        args |= dict(await request.post())
    header = request.headers.get("Authorization", "")
    token = header.removeprefix(BEARER) if header.startswith(BEARER) else args.get("token")
    args.pop("token", None)
    given = {name: value for name, value in args.items() if value is not None}
    return Received(request.match_info["method"], given, token)


def read_json(text: str) -> Json:
    """A JSON body; raises RefusalError `invalid_json` or `json_not_object`."""
    try:
        body = json.loads(text) if text else {}
    except ValueError as error:
        raise RefusalError("invalid_json") from error
    if not isinstance(body, dict):
        raise RefusalError("json_not_object")
    return body


def read_arguments(method: AnyMethod, args: Json) -> Any:
    """A method's arguments; raises RefusalError `invalid_arguments` naming each problem."""
    try:
        return method.arguments.model_validate(args)
    except ValidationError as error:
        messages = [describe_argument(detail["type"], detail["loc"], detail["msg"]) for detail in error.errors()]
        raise RefusalError("invalid_arguments", messages) from error


def describe_argument(kind: str, location: tuple[int | str, ...], words: str) -> str:
    """One problem with an argument, in Slack's words."""
    name = str(location[0]) if location else ""
    if kind == "missing":
        return f"[ERROR] missing required field: {name}"
    if kind == "extra_forbidden":
        return f"[ERROR] unknown argument: {name}"
    return f"[ERROR] {words} [json-pointer:/{name}]"
