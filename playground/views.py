"""Views: their validation, the modal stacks and the Home tabs.

Owns what a view may be and where each open one is; refuses to know triggers, payloads and acknowledgements.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import StringConstraints, TypeAdapter, ValidationError

from playground.blockkit.check import BlocksError, check_blocks
from playground.blockkit.objects import Plain24, Strict
from playground.errors import RefusalError
from playground.inputs import initial_values, keep_typed
from playground.manifest import App
from playground.model import Json, View
from playground.problems import describe
from playground.state import Workspace

VIEW_BYTES_LIMIT = 250_000
STACK_LIMIT = 3
Metadata = Annotated[str, StringConstraints(max_length=3000)]
Name = Annotated[str, StringConstraints(max_length=255)]


class ModalIn(Strict):
    """A modal as an app sends it; its blocks are checked apart."""

    type: Literal["modal"]
    title: Plain24
    blocks: Any
    submit: Plain24 | None = None
    close: Plain24 | None = None
    private_metadata: Metadata | None = None
    callback_id: Name | None = None
    external_id: Name | None = None
    clear_on_close: bool | None = None
    notify_on_close: bool | None = None
    submit_disabled: bool | None = None


class HomeIn(Strict):
    """A Home tab as an app sends it; its blocks are checked apart."""

    type: Literal["home"]
    blocks: Any
    private_metadata: Metadata | None = None
    callback_id: Name | None = None
    external_id: Name | None = None


ADAPTERS: dict[str, TypeAdapter[Any]] = {"modal": TypeAdapter(ModalIn), "home": TypeAdapter(HomeIn)}


def check_view(view: Any, kind: Literal["modal", "home"]) -> Json:
    """A view as Slack would keep it.

    Raises:
        RefusalError: `view_too_large`, or `invalid_arguments` with what is wrong where.
    """
    if len(json.dumps(view, ensure_ascii=False).encode()) > VIEW_BYTES_LIMIT:
        raise RefusalError("view_too_large")
    try:
        ADAPTERS[kind].validate_python(view)
        blocks = check_blocks(view["blocks"], kind, "/view/blocks")
    except ValidationError as error:
        raise RefusalError("invalid_arguments", describe(error, view, "/view")) from error
    except BlocksError as error:
        raise RefusalError("invalid_arguments", error.messages) from error
    if kind == "modal" and not view.get("submit") and any(block["type"] == "input" for block in blocks):
        raise RefusalError("invalid_arguments", ["[ERROR] missing required field: submit [json-pointer:/view]"])
    return {**view, "blocks": blocks}


class Shelf:
    """Every open modal (one stack a person) and every published Home."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.stacks: dict[str, list[View]] = {}
        self.homes: dict[tuple[str, str], View] = {}

    def open(self, app: App, user: str, body: Json) -> View:
        """Show a modal; a stack that was open goes away."""
        self.refuse_double_external_id(app, body)
        self.clear(user)
        view = self.new_view(app, user, body)
        self.stacks[user] = [view]
        self.tell("view_opened", view)
        return view

    def push(self, app: App, user: str, body: Json) -> View:
        """Put a modal on top of the person's stack.

        Raises:
            RefusalError: `not_found` without an open modal of this app, `push_limit_reached` above three.
        """
        stack = self.stacks.get(user, [])
        if not stack or stack[-1].app_id != app.app_id:
            raise RefusalError("not_found")
        if len(stack) >= STACK_LIMIT:
            raise RefusalError("push_limit_reached")
        self.refuse_double_external_id(app, body)
        view = self.new_view(app, user, body, stack)
        stack.append(view)
        self.tell("view_pushed", view)
        return view

    def update(self, view: View, body: Json, expected_hash: str | None = None) -> View:
        """Replace what a view shows; what was typed stays where block_id and action_id stay.

        Raises:
            RefusalError: `hash_conflict` when it changed since the caller saw it.
        """
        if expected_hash and expected_hash != view.hash:
            raise RefusalError("hash_conflict")
        view.body, view.hash, view.error = body, self.workspace.ids.mint_hash(), None
        view.values = keep_typed(view.blocks, view.values)
        self.tell("home" if view.kind == "home" else "view_updated", view)
        return view

    def publish(self, app: App, user: str, body: Json, expected_hash: str | None = None) -> View:
        """Show a Home tab; raises RefusalError `hash_conflict`."""
        home = self.homes.get((app.app_id, user))
        if home is not None:
            return self.update(home, body, expected_hash)
        view = self.homes[app.app_id, user] = self.new_view(app, user, body)
        self.tell("home", view)
        return view

    def find(self, app: App, view_id: str | None, external_id: str | None) -> View | None:
        """An open view of the app by either id."""
        for view in self.list_views(app):
            if view_id == view.id or (external_id and view.body.get("external_id") == external_id):
                return view
        return None

    def list_views(self, app: App) -> list[View]:
        """All open views of an app."""
        modals = [view for stack in self.stacks.values() for view in stack]
        return [view for view in [*modals, *self.homes.values()] if view.app_id == app.app_id]

    def list_seen_by(self, user: str) -> list[View]:
        """The person's modal stack (bottom first) and Home tabs."""
        homes = [view for (_, owner), view in self.homes.items() if owner == user]
        return [*self.stacks.get(user, []), *homes]

    def close(self, view: View) -> None:
        """Take one modal off its stack."""
        stack = self.stacks.get(view.user, [])
        if view in stack:
            stack.remove(view)
            self.tell("view_closed", view)

    def clear(self, user: str) -> list[View]:
        """Close the whole stack; the closed views, top first."""
        closed = list(reversed(self.stacks.get(user, [])))
        for view in closed:
            self.close(view)
        return closed

    def fail(self, view: View, error: str) -> None:
        """Show an error line in a modal."""
        view.error = error
        self.tell("view_updated", view)

    def new_view(self, app: App, user: str, body: Json, stack: list[View] | None = None) -> View:
        """A view not yet shown, on top of `stack`."""
        view_id = self.workspace.ids.mint("V")
        return View(
            id=view_id,
            team_id=self.workspace.team.id,
            app_id=app.app_id,
            bot_id=app.bot_id,
            user=user,
            body=body,
            hash=self.workspace.ids.mint_hash(),
            root_view_id=stack[0].id if stack else view_id,
            previous_view_id=stack[-1].id if stack else None,
            values=initial_values(body["blocks"]),
        )

    def refuse_double_external_id(self, app: App, body: Json) -> None:
        """An external id names one view at a time."""
        external_id = body.get("external_id")
        if external_id and self.find(app, None, external_id):
            raise RefusalError("duplicate_external_id")

    def tell(self, kind: str, view: View) -> None:
        """Tell the feed about a view."""
        self.workspace.feed.tell(kind, {"view": show_view(view)}, frozenset({view.user}))


def show_view(view: View) -> Json:
    """A view with its error line, as the page and the control API see it."""
    return {**view.to_slack(), **({"error": view.error} if view.error else {})}
