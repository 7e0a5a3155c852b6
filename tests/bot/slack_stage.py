"""A stage for the Slack edge: a small Slack that writes down each call, one test slice, and payloads typed from
Slack's public documentation.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from sqlmodel import select

from bot.clocks import Clocks
from bot.slack.edge import Edge, EdgeSettings, build_edge
from bot.slack.installation import Installation
from commands.kit import actions, button, form_field, message, section, text_input
from commands.slice import (
    Button,
    Call,
    Choice,
    Command,
    Form,
    FormErrors,
    FormView,
    Home,
    OpenForm,
    Options,
    PushForm,
    Ref,
    Replace,
    Reply,
    Slice,
    UpdateForm,
    Whisper,
)
from rules.errors import UserError
from rules.people.roles import Permission
from rules.records import Change
from storage import audit
from storage.audit import AuditRow
from storage.db import Database, Tx
from storage.owners import save_from_slack
from storage.people.members import SlackProfile
from tests.conftest import NOW, add_workspace

TEAM, PERSON, CHANNEL, BOT = "T0000001", "U2CERLKJA", "C2147483705", "UBOT"
SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
TRIGGER = "13345224609.738474920.8088930838d88f008e0"


@dataclass
class FakeSlack:
    """Slack's Web API and response URLs as a server on the loopback; `errors` makes a method fail."""

    url: str = ""
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    response_status: int = 200

    def bodies(self, method: str) -> list[dict[str, Any]]:
        return [body for name, body in self.calls if name == method]

    async def call(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        is_json = request.content_type == "application/json"
        sent = dict(await request.post()) or dict(request.query)
        body: dict[str, Any] = await request.json() if is_json else sent
        for name in ("view", "blocks"):
            if isinstance(body.get(name), str):
                body[name] = json.loads(body[name])
        self.calls.append((method, body))
        if method in self.errors:
            return web.json_response({"ok": False, "error": self.errors[method]})
        return web.json_response({"ok": True, **self.answers.get(method, {})})

    async def respond(self, request: web.Request) -> web.Response:
        self.calls.append(("response_url", await request.json()))
        return web.Response(status=self.response_status, text="ok")


@asynccontextmanager
async def fake_slack() -> AsyncIterator[FakeSlack]:
    slack = FakeSlack()
    app = web.Application()
    app.add_routes([web.route("*", "/api/{method}", slack.call), web.post("/response/{key}", slack.respond)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    slack.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield slack
    finally:
        await runner.cleanup()


# ---------------------------------------------------------------- the test slice


@dataclass
class Gate:
    """Holds a handler back until the test lets it go."""

    is_open: threading.Event = field(default_factory=threading.Event)


def write(call: Call, tx: Tx, what: str) -> None:
    audit.record(tx, Change("tested", "note", what[:200]), call.person.actor, call.now)


def ask_view() -> FormView:
    name = form_field("name", "Name", text_input())
    note = form_field("note", "Note", text_input(is_long=True), is_optional=True)
    return FormView("test.form", "A form", (section("Read me"), name, note), submit="Save", ref=Ref("thing", "7"))


def build_slice(gate: Gate) -> Slice:  # noqa: C901  # one small handler per thing a slice can do
    def do_help(call: Call, _tx: Tx) -> list[Reply]:
        return [Whisper(message(f"help: {call.text}"))]

    def do_note(call: Call, tx: Tx) -> list[Reply]:
        write(call, tx, call.text)
        undo = actions(button("Undo", "test.undo", Ref("note", "1"), style="danger"))
        return [Whisper(message("Noted", section(f"Noted {len(call.text)}: {call.text[:100]}"), undo))]

    def do_lead(call: Call, tx: Tx) -> list[Reply]:
        call.require(Permission.SETUP)
        write(call, tx, "set up")
        return [Whisper(message("set up"))]

    def do_find(call: Call, _tx: Tx) -> list[Reply]:
        if call.text.startswith("acme"):
            return [Whisper(message(f"found {call.text}"))]
        nearest = (("acme", "Acme Inc"), ("acme-2", "Acme Labs"))
        typed = call.text.split()[0]
        raise UserError("I know no account “{name}”.", field="name", nearest=nearest, name=typed)

    def do_slow(call: Call, tx: Tx) -> list[Reply]:
        gate.is_open.wait(5)
        write(call, tx, "slow")
        return [Whisper(message("slow is done"))]

    def do_two(_call: Call, _tx: Tx) -> list[Reply]:
        return [Whisper(message("one")), Whisper(message("two"))]

    def do_bug(call: Call, tx: Tx) -> list[Reply]:
        write(call, tx, "half")
        raise RuntimeError("a bug with a secret inside")

    def do_impossible(call: Call, tx: Tx) -> list[Reply]:
        write(call, tx, "impossible")
        return [Replace(message("cannot be"))]

    def do_form(_call: Call, _tx: Tx) -> list[Reply]:
        return [OpenForm(ask_view())]

    def press(call: Call, tx: Tx) -> list[Reply]:
        write(call, tx, f"{call.surface.value} {call.ref} {call.picked}")
        return [Whisper(message("pressed"))]

    def undo(call: Call, tx: Tx) -> list[Reply]:
        write(call, tx, f"undo on {call.surface.value}")
        return [Replace(message("Undone"))]

    def in_form(call: Call, _tx: Tx) -> list[Reply]:
        if call.picked == "push":
            return [PushForm(ask_view())]
        return [UpdateForm(replace(ask_view(), title=f"For {call.value('name')}"))]

    def submit(call: Call, tx: Tx) -> list[Reply]:
        write(call, tx, f"form {call.ref} {dict(call.values)}")
        match call.value("name"):
            case "wrong":
                raise UserError("“{name}” is not a `name`.", field="note", name="<wrong>")
            case "elsewhere":
                raise UserError("Nobody has it.", field="account")
            case "errors":
                return [FormErrors({"name": "Too short"})]
            case "update":
                return [UpdateForm(replace(ask_view(), title="Step two"))]
            case "slow" | "slow wrong" as name:
                gate.is_open.wait(5)
                if name == "slow wrong":
                    raise UserError("Not after all.", field="name")
            case "bug":
                raise RuntimeError("a bug")
        return [Whisper(message("Saved"))]

    def choose(call: Call, _tx: Tx) -> list[Reply]:
        return [Options([(f"{call.text}-{at}", f"Label {at} {'x' * 90}") for at in range(120)])]

    def home(call: Call, _tx: Tx) -> list[Reply]:
        return [Home((section(f"Hello {call.person.name}"),))]

    return Slice(
        "test",
        commands=(
            Command("help", "[topic]", "Help", do_help, "reads"),
            Command("note", "text", "Notes", do_note, "writes"),
            Command("lead", "", "For leads", do_lead, "writes"),
            Command("find", "name", "Finds", do_find, "reads"),
            Command("slow", "", "Slow", do_slow, "writes"),
            Command("two", "", "Two", do_two, "reads"),
            Command("bug", "", "Bug", do_bug, "writes"),
            Command("impossible", "", "Impossible", do_impossible, "writes"),
            Command("form", "", "Form", do_form, "reads"),
        ),
        buttons=(
            Button("test.press", press, "writes"),
            Button("test.undo", undo, "writes"),
            Button("test.open", do_form, "reads"),
            Button("test.in_form", in_form, "reads"),
        ),
        forms=(Form("test.form", submit),),
        choices=(Choice("test.pick", choose),),
        home=home,
    )


# ---------------------------------------------------------------- the stage


@dataclass
class Stage:
    """The edge on a real database with the small Slack behind it."""

    edge: Edge
    slack: FakeSlack
    database: Database
    workspace_id: str
    gate: Gate

    async def send(self, request: AsyncBoltRequest) -> BoltResponse:
        return await self.edge.app.async_dispatch(request)

    async def command(self, text: str, **more: str) -> Any:
        return read(await self.send(sign(urlencode(self.command_body(text, **more)))))

    async def interact(self, body: dict[str, Any]) -> Any:
        return read(await self.send(sign(urlencode({"payload": json.dumps(body)}))))

    async def event(self, event: dict[str, Any], event_id: str = "Ev08MFMKH6") -> BoltResponse:
        return await self.send(sign(json.dumps(event_body(event, event_id)), "application/json"))

    async def settle(self) -> None:
        """Wait for what follows the acknowledgement."""
        while self.edge.tasks._running:
            await asyncio.wait(set(self.edge.tasks._running))

    def notes(self) -> list[str]:
        with self.database.reading(self.workspace_id) as tx:
            return [row.object_id for row in tx.session.exec(select(AuditRow).where(AuditRow.verb == "tested"))]

    def audit(self) -> list[AuditRow]:
        with self.database.reading(self.workspace_id) as tx:
            rows = list(tx.session.exec(select(AuditRow).order_by(AuditRow.at)))
            tx.session.expunge_all()
            return rows

    def command_body(self, text: str, **more: str) -> dict[str, str]:
        """The form body of a slash command."""
        return {
            "token": "gIkuvaNzQIHg97ATvDxqgjtO",
            "team_id": TEAM,
            "team_domain": "example",
            "channel_id": CHANNEL,
            "channel_name": "test",
            "user_id": PERSON,
            "user_name": "Steve",
            "command": "/cs",
            "text": text,
            "api_app_id": "A123456",
            "is_enterprise_install": "false",
            "response_url": f"{self.slack.url}/response/1234",
            "trigger_id": TRIGGER,
        } | more

    def block_actions(self, action: dict[str, Any], **more: Any) -> dict[str, Any]:
        """A pressed element of a message in a channel."""
        return {
            "type": "block_actions",
            "team": {"id": TEAM, "domain": "example"},
            "user": {"id": PERSON, "username": "steve", "name": "steve", "team_id": TEAM},
            "api_app_id": "A123456",
            "token": "9s8d9as89d8as9d8as989",
            "container": {
                "type": "message",
                "message_ts": "1548261231.000200",
                "channel_id": CHANNEL,
                "is_ephemeral": False,
            },
            "trigger_id": "12321423423.333649436676.d8c1bb837935619ccad0f624c448ffb3",
            "channel": {"id": CHANNEL, "name": "review-updates"},
            "message": {"bot_id": "BAH5CA16Z", "type": "message", "text": "An alert", "user": BOT, "blocks": []},
            "response_url": f"{self.slack.url}/response/5678",
            "actions": [action],
        } | more

    def press(self, action_id: str, value: str = Ref("thing", "7").dump(), **more: Any) -> dict[str, Any]:
        text = {"type": "plain_text", "text": "Press", "emoji": True}
        shape = {"block_id": "=qXel", "type": "button", "action_ts": "1548426417.840180", "text": text}
        return self.block_actions({"action_id": action_id, "value": value, **shape}, **more)

    def in_view(self, body: dict[str, Any], view: dict[str, Any]) -> dict[str, Any]:
        """The same press inside a modal or the Home tab: no channel, no message, no response_url."""
        gone = ("channel", "message", "response_url")
        kept = {name: value for name, value in body.items() if name not in gone}
        return {**kept, "container": {"type": "view", "view_id": view["id"]}, "view": view}

    def submission(self, channel: str = CHANNEL, hash_: str = "156663117.cd33ad1f", **fields: str) -> dict[str, Any]:
        return {
            "type": "view_submission",
            "team": {"id": TEAM, "domain": "example"},
            "user": {"id": PERSON, "username": "steve", "name": "steve", "team_id": TEAM},
            "api_app_id": "A123456",
            "token": "9s8d9as89d8as9d8as989",
            "trigger_id": TRIGGER,
            "view": view_body(channel, hash_, **fields),
            "response_urls": [],
            "is_enterprise_install": False,
            "enterprise": None,
        }


def view_body(channel: str = CHANNEL, hash_: str = "156663117.cd33ad1f", **fields: str) -> dict[str, Any]:
    """A modal as Slack gives it back."""
    blocks = [{**block, "block_id": block.get("block_id", "read")} for block in ask_view().blocks]
    values = {name: {"value": {"type": "plain_text_input", "value": fields.get(name)}} for name in ("name", "note")}
    return {
        "id": "VNHU13V36",
        "team_id": TEAM,
        "type": "modal",
        "title": {"type": "plain_text", "text": "A form"},
        "close": {"type": "plain_text", "text": "Cancel"},
        "submit": {"type": "plain_text", "text": "Save"},
        "blocks": blocks,
        "private_metadata": json.dumps([Ref("thing", "7").dump(), channel, ""]),
        "callback_id": "test.form",
        "state": {"values": values},
        "hash": hash_,
        "clear_on_close": False,
        "notify_on_close": False,
        "root_view_id": "VNHU13V36",
        "app_id": "A123456",
        "app_installed_team_id": TEAM,
        "bot_id": "BA13894H",
    }


def event_body(event: dict[str, Any], event_id: str) -> dict[str, Any]:
    """The Events API's envelope."""
    return {
        "token": "z26uFbvR1xHJEdHE1OQiO6t8",
        "team_id": TEAM,
        "api_app_id": "A123456",
        "event": event,
        "type": "event_callback",
        "event_id": event_id,
        "event_time": 1234567890,
        "authorizations": [{"enterprise_id": None, "team_id": TEAM, "user_id": BOT, "is_bot": True}],
        "is_ext_shared_channel": False,
    }


def sign(body: str, content_type: str = "application/x-www-form-urlencoded", secret: str = SECRET) -> AsyncBoltRequest:
    """A request as Slack signs it."""
    stamp = str(int(datetime.now(UTC).timestamp()))  # noqa: TID251  # Slack's SDK compares with the machine's clock
    digest = hmac.new(secret.encode(), f"v0:{stamp}:{body}".encode(), hashlib.sha256).hexdigest()
    headers = {
        "content-type": content_type,
        "x-slack-request-timestamp": stamp,
        "x-slack-signature": f"v0={digest}",
    }
    return AsyncBoltRequest(body=body, headers=headers)  # type: ignore[arg-type]  # Bolt takes plain strings too


def read(response: BoltResponse) -> Any:
    """An acknowledgement's body; Slack wants 200 whatever happened."""
    assert response.status == 200, response.body
    return json.loads(response.body) if response.body else None


@asynccontextmanager
async def stage(
    database: Database, *, more: Sequence[Slice] = (), wall: Callable[[], datetime] = lambda: NOW, **settings: Any
) -> AsyncIterator[Stage]:
    """An edge with one member, a CSM, that Slack has told about."""
    workspace_id = add_workspace(database, TEAM)
    with database.writing(workspace_id) as tx:
        save_from_slack(tx, SlackProfile(PERSON, "Steve", zone="UTC", locale="en-US"), NOW)
    gate = Gate()
    async with fake_slack() as slack:
        installation = Installation(workspace_id, TEAM, "xoxb-test", "Test", bot_user_id=BOT, bot_id="B1")
        given = {"slow_seconds": 20.0, "signing_secrets": (SECRET,)} | settings
        chosen = EdgeSettings(installation, f"{slack.url}/api/", **given)
        edge = build_edge(database, (build_slice(gate), *more), chosen, Clocks(lambda: NOW, wall))
        try:
            yield Stage(edge, slack, database, workspace_id, gate)
        finally:
            gate.is_open.set()
            await edge.drain()


def texts(value: Any) -> str:
    """Everything that can be read in a message or view, for plain assertions."""
    return json.dumps(value, ensure_ascii=False)
