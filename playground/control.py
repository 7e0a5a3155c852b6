"""The control API under /_play: what scripts, tests and the page use to act as people. JSON in, JSON out.

Owns its arguments and answers; the `acts*` modules own what an act does. Documented in README.md.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Literal, TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict, ValidationError

from playground.acts import Acts, Stage
from playground.acts_elements import Elements, Press
from playground.acts_forms import Forms
from playground.errors import ActError
from playground.manifest import App
from playground.model import Channel, Json, User
from playground.requests import read_body
from playground.views import show_view

WAIT_LIMIT_SECONDS = 30.0


class In(BaseModel):
    """A request's fields; unknown ones are refused. `user` is an id or handle."""

    model_config = ConfigDict(extra="forbid")

    user: str


class CommandIn(In):
    """POST /_play/command. `wait_seconds`: wait for the first change that the person sees."""

    channel: str
    text: str
    wait_seconds: float = 0.0


class PressIn(In):
    """POST /_play/press. The page gives `selected` and `state`; scripts give `value`."""

    action_id: str
    channel: str | None = None
    ts: str | None = None
    view_id: str | None = None
    block_id: str | None = None
    value: Any = None
    selected: Any = None
    state: dict[str, dict[str, Any]] | None = None
    wait_seconds: float = 0.0


class SubmitIn(In):
    """POST /_play/submit."""

    view_id: str
    values: dict[str, Any] = {}
    wait_seconds: float = 0.0


class CloseIn(In):
    """POST /_play/close. `all` is the cross in the corner: the whole stack."""

    view_id: str
    all: bool = False


class HomeIn(In):
    """POST /_play/home."""

    app_id: str | None = None


class SayIn(In):
    """POST /_play/say."""

    channel: str
    text: str
    thread_ts: str | None = None


class RedeliverIn(BaseModel):
    """POST /_play/redeliver: `n` is the number of a payload in the ledger."""

    model_config = ConfigDict(extra="forbid")

    n: int


class JoinIn(In):
    """POST /_play/join. `user` may be an app's bot: the playground's `/invite`."""

    channel: str


class ShareIn(In):
    """POST /_play/share: share a channel with another organisation, invite it ("pending"), or end that ("none")."""

    channel: str
    sharing: Literal["shared", "pending", "none"] = "shared"


class PersonIn(In):
    """POST /_play/user: change a person's record, as a profile or admin page would."""

    changes: dict[str, Any]


Body = TypeVar("Body", bound=In)


class Control:
    """The endpoints."""

    def __init__(self, stage: Stage, acts: Acts, elements: Elements, forms: Forms) -> None:
        self.stage = stage
        self.core = stage.core
        self.workspace = stage.workspace
        self.acts = acts
        self.elements = elements
        self.forms = forms

    def routes(self) -> list[web.RouteDef]:
        """Where it listens."""
        return [
            web.get("/_play/channels", self.list_channels),
            web.get("/_play/messages", self.list_messages),
            web.get("/_play/views", self.list_views),
            web.get("/_play/options", self.search_options),
            web.get("/_play/ledger", self.show_ledger),
            web.post("/_play/redeliver", self.redeliver),
            web.post("/_play/command", self.accept(CommandIn, self.command)),
            web.post("/_play/press", self.accept(PressIn, self.press)),
            web.post("/_play/submit", self.accept(SubmitIn, self.submit)),
            web.post("/_play/close", self.accept(CloseIn, self.close)),
            web.post("/_play/home", self.accept(HomeIn, self.open_home)),
            web.post("/_play/say", self.accept(SayIn, self.say)),
            web.post("/_play/join", self.accept(JoinIn, self.join)),
            web.post("/_play/share", self.accept(ShareIn, self.share)),
            web.post("/_play/user", self.accept(PersonIn, self.change_person)),
        ]

    def accept(
        self, shape: type[Body], act: Callable[[User, Body], Awaitable[Json]]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        """An endpoint that reads a body, finds the person and acts."""

        async def handle(request: web.Request) -> web.Response:
            body = await read_body(request, shape)
            return web.json_response(await act(self.workspace.get_user(body.user), body))

        return handle

    # -- reading --------------------------------------------------------------

    async def list_channels(self, _: web.Request) -> web.Response:
        """All conversations."""
        shown = [show_channel(channel) for channel in self.workspace.channels.values()]
        return web.json_response({"ok": True, "channels": shown})

    async def list_messages(self, request: web.Request) -> web.Response:
        """A channel's or thread's messages, oldest first, with the notes of `user` if given."""
        query = request.query
        channel = self.workspace.get_channel(query.get("channel", ""))
        user = self.workspace.get_user(query["user"]) if "user" in query else None
        shown = self.show_messages(channel, user, query.get("thread_ts"))
        return web.json_response({"ok": True, "channel": channel.id, "messages": shown})

    def show_messages(self, channel: Channel, user: User | None, thread_ts: str | None) -> list[Json]:
        """Messages as the control API and the page show them."""
        notes = self.workspace.list_notes(channel.id, user.id) if user else []
        if thread_ts:
            found = self.workspace.list_thread(channel.id, thread_ts)
            notes = [note for note in notes if note.thread_ts == thread_ts]
        else:
            found = self.workspace.list_channel(channel.id)
            notes = [note for note in notes if note.thread_ts is None]
        ordered = sorted([*found, *notes], key=lambda one: float(one.ts))
        return [self.workspace.show_message(one, has_metadata=True) for one in ordered]

    async def list_views(self, request: web.Request) -> web.Response:
        """A person's modal stack and Home tabs."""
        user = self.workspace.get_user(request.query.get("user", ""))
        stack = [show_view(view) for view in self.core.shelf.stacks.get(user.id, [])]
        homes = [view for (_, owner), view in self.core.shelf.homes.items() if owner == user.id]
        shown = [show_view(view) for view in homes]
        return web.json_response({"ok": True, "views": stack, "home": shown[0] if shown else None, "homes": shown})

    async def search_options(self, request: web.Request) -> web.Response:
        """What an external select offers for a query."""
        query = request.query
        user = self.workspace.get_user(query.get("user", ""))
        channel = self.workspace.get_channel(query["channel"]) if "channel" in query else None
        surface = self.elements.find_surface(user, channel, query.get("ts"), query.get("view_id"))
        press = Press(query.get("action_id", ""), query.get("block_id"))
        return web.json_response(await self.elements.search(user, surface, press, query.get("query", "")))

    async def show_ledger(self, request: web.Request) -> web.Response:
        """The ledger, from entry `since` (exclusive), of `kind`, if given."""
        since, kind = request.query.get("since", "0"), request.query.get("kind")
        if not since.isdecimal():
            raise ActError("since is the number of an entry")
        entries = [one for one in self.core.ledger.entries if one["n"] > int(since) and kind in {None, one["kind"]}]
        return web.json_response({"ok": True, "entries": entries})

    async def redeliver(self, request: web.Request) -> web.Response:
        """Send a payload once more, word for word."""
        body = await read_body(request, RedeliverIn)
        ack = await self.core.resend(body.n)
        return web.json_response({"ok": ack.is_ok, "ack": ack.body, "error": ack.error})

    # -- acting ---------------------------------------------------------------

    async def command(self, user: User, body: CommandIn) -> Json:
        """Run a slash command."""
        channel = self.stage.get_place(user, body.channel)
        return await self.acts.command(user, channel, body.text, cap(body.wait_seconds))

    async def press(self, user: User, body: PressIn) -> Json:
        """Press or pick."""
        channel = self.stage.get_place(user, body.channel) if body.channel else None
        surface = self.elements.find_surface(user, channel, body.ts, body.view_id)
        given = body.selected if body.selected is not None else body.value
        press = Press(body.action_id, body.block_id, given)
        return await self.elements.press(user, surface, press, body.state, cap(body.wait_seconds))

    async def submit(self, user: User, body: SubmitIn) -> Json:
        """Submit a modal."""
        return await self.forms.submit(user, body.view_id, body.values, cap(body.wait_seconds))

    async def close(self, user: User, body: CloseIn) -> Json:
        """Close a modal."""
        return await self.forms.close(user, body.view_id, is_all=body.all)

    async def open_home(self, user: User, body: HomeIn) -> Json:
        """Open an app's Home."""
        return self.acts.open_home(user, self.find_app(body.app_id))

    def find_app(self, app_id: str | None) -> App:
        """An app by id, or the first one."""
        for app in self.workspace.list_apps():
            if app_id in {None, app.app_id}:
                return app
        raise ActError(f"no app {app_id or 'is installed'}")

    async def say(self, user: User, body: SayIn) -> Json:
        """Post a message."""
        channel = self.stage.get_place(user, body.channel)
        message = self.acts.say(user, channel, body.text, body.thread_ts)
        return {"ok": True, "channel": channel.id, "ts": message.ts, "message": message.to_slack()}

    async def join(self, user: User, body: JoinIn) -> Json:
        """Join a channel."""
        return self.acts.join(user, self.workspace.get_channel(body.channel))

    async def share(self, _: User, body: ShareIn) -> Json:
        """Share a channel, or end that."""
        channel = self.workspace.get_channel(body.channel)
        if channel.is_im:
            raise ActError("a direct message cannot be shared")
        self.workspace.share(channel, body.sharing)
        return {"ok": True, "channel": show_channel(channel)}

    async def change_person(self, user: User, body: PersonIn) -> Json:
        """Change a person's record."""
        try:
            changed = self.workspace.change_user(user.id, {**body.changes, "id": user.id})
        except ValidationError as error:
            raise ActError(str(error)) from error
        return {"ok": True, "user": changed.model_dump()}


def cap(seconds: float) -> float:
    """A wait within its limits."""
    return max(0.0, min(seconds, WAIT_LIMIT_SECONDS))


def show_channel(channel: Channel) -> Json:
    """A conversation as the control API shows it."""
    flags = {"is_private": channel.is_private, "is_im": channel.is_im, "is_ext_shared": channel.is_ext_shared}
    flags["is_pending_ext_shared"] = channel.is_pending_ext_shared
    return {"id": channel.id, "name": channel.name, "members": channel.members, **flags}
