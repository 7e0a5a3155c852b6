"""The Web API's request path: parsing, token, scope, arguments, faults, ledger.

Owns everything around a method; the `methods_*` modules own what each does.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from pydantic import ValidationError

from playground.core import Core
from playground.errors import RefusalError
from playground.faults import Fault, find_fault
from playground.manifest import App
from playground.method import AnyMethod, Call
from playground.methods import METHODS
from playground.model import Json

BEARER = "Bearer "
NO_FAULT = Fault()


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
        start = asyncio.get_running_loop().time()
        method = request.match_info["method"]
        args: Json = {}
        try:
            received = await read_request(request)
            args = received.args
            response, outcome = await self.answer(request, received)
        except RefusalError as refusal:
            response, outcome = web.json_response(refusal.to_json()), refusal.code
        seconds = asyncio.get_running_loop().time() - start
        self.core.ledger.write("api", method, args, outcome, seconds)
        return response

    async def answer(self, request: web.Request, received: Received) -> tuple[web.Response, str]:
        """Apply faults around a method; the response and the outcome for the ledger."""
        fault = find_fault(self.core.faults, received.method, received.args) or NO_FAULT
        await asyncio.sleep(fault.hang_seconds)
        if fault.status:
            retry = fault.retry_after_seconds
            headers = {"Retry-After": str(retry)} if retry is not None else {}
            body = {"ok": False, "error": fault.error or "internal_error"}
            return web.json_response(body, status=fault.status, headers=headers), f"fault_{fault.status}"
        if fault.error:
            raise RefusalError(fault.error)
        body = self.run(received)
        if fault.is_dropped and request.transport is not None:
            request.transport.abort()
            return web.json_response(body), "ok_answer_dropped"
        app, _ = self.authorize(received.token)
        return web.json_response(body, headers={"X-OAuth-Scopes": ",".join(sorted(app.scopes))}), "ok"

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
            RefusalError: not_authed, invalid_auth, account_inactive.
        """
        if not token:
            raise RefusalError("not_authed")
        for app in self.core.workspace.apps.values():
            if token in {app.bot_token, app.app_token}:
                if not app.is_active:
                    raise RefusalError("account_inactive")
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
