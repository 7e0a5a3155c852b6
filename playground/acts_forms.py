"""What a person does with a modal as a whole: submit and close.

Owns the response actions and what the person sees when an app answers wrongly or not at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from playground.acts import Stage
from playground.acts_elements import Elements, Surface
from playground.delivery import Ack, Parcel
from playground.errors import ActError, RefusalError
from playground.inputs import STATE_KEYS, find_elements, list_form_errors
from playground.model import Json, User, View
from playground.payloads import build_interaction
from playground.views import check_view

TROUBLE = "We had some trouble connecting. Try again? ({error})"


class Forms:
    """Submitting and closing modals."""

    def __init__(self, stage: Stage, elements: Elements) -> None:
        self.stage = stage
        self.core = stage.core
        self.workspace = stage.workspace
        self.elements = elements

    def get_modal(self, user: User, view_id: str) -> View:
        """The modal on top of the person's stack; raises ActError for any other."""
        stack = self.core.shelf.stacks.get(user.id, [])
        if not stack or stack[-1].id != view_id:
            raise ActError(f"{view_id} is not the open modal of {user.name}")
        return stack[-1]

    async def submit(self, user: User, view_id: str, given: Json, wait_seconds: float = 0.0) -> Json:
        """Fill fields and submit. `given` is {block_id: {action_id: value}} or {action_id: value}."""
        view = self.get_modal(user, view_id)
        since = self.workspace.feed.last_number
        await self.fill(user, view, given)
        errors = list_form_errors(view.blocks, view.values)
        if errors:
            refused = await self.stage.report(user, since, Ack(error="form_incomplete"))
            return {**refused, "errors": errors}
        payload = build_interaction(self.core, self.workspace.apps[view.app_id], user, "view_submission")
        payload["trigger_id"] = self.core.permits.give_trigger(view.app_id, user.id, view.id)
        payload |= {"view": view.to_slack(), "response_urls": self.give_response_urls(user, view)}
        parcel = Parcel("interactivity", payload, accepts_response=True)
        app = self.workspace.apps[view.app_id]
        ack = await self.core.send(app, parcel, f"view_submission {view.body.get('callback_id', '')}".strip())
        ack, shown = self.apply(user, view, ack)
        return {**await self.stage.report(user, since, ack, wait_seconds), **shown}

    async def fill(self, user: User, view: View, given: Json) -> None:
        """Put values into the modal's fields; raises ActError for a field that is not there."""
        surface = Surface(self.workspace.apps[view.app_id], view.blocks, view.values, view=view)
        for block_id, action_id, value in list_fields(view, given):
            found = find_elements(view.blocks, action_id, block_id)
            if len(found) != 1 or found[0][1]["type"] not in STATE_KEYS:
                raise ActError(f"the modal has no field {action_id!r}")
            state = await self.elements.read_given(user, surface, found[0], value)
            view.values[found[0][0]["block_id"]][action_id] = state

    def give_response_urls(self, user: User, view: View) -> list[Json]:
        """Response URLs for conversations that were picked with response_url_enabled."""
        urls = []
        for block in view.blocks:
            element = block.get("element", {})
            if element.get("response_url_enabled"):
                state = view.values[block["block_id"]][element["action_id"]]
                channel_id = state[STATE_KEYS[element["type"]]]
                if channel_id:
                    key = self.core.permits.give_response_url(view.app_id, user.id, channel_id)
                    url = f"{self.core.url}/actions/{key}"
                    place = {"block_id": block["block_id"], "action_id": element["action_id"]}
                    urls.append({**place, "channel_id": channel_id, "response_url": url})
        return urls

    def apply(self, user: User, view: View, ack: Ack) -> tuple[Ack, Json]:
        """Do what the app answered to a submission; the outcome, and errors to show under fields."""
        try:
            ack.check()
            return ack, self.respond(user, view, ack.body)
        except RefusalError as refusal:
            self.core.shelf.fail(view, TROUBLE.format(error=refusal.code))
            return Ack(ack.body, refusal.code), {"detail": refusal.messages} if refusal.messages else {}

    def respond(self, user: User, view: View, body: Any) -> Json:
        """A response action; raises RefusalError when it is none."""
        if body in (None, "", {}):
            self.core.shelf.close(view)
            return {}
        action = body.get("response_action") if isinstance(body, dict) else None
        expected = {"errors": {"errors"}, "update": {"view"}, "push": {"view"}, "clear": set()}.get(str(action))
        if expected is None or set(body) - {"response_action"} != expected:
            raise RefusalError("invalid_response_action")
        if action == "errors":
            return {"ok": False, "errors": check_errors(view, body["errors"])}
        if action == "clear":
            self.core.shelf.clear(user.id)
        elif action == "update":
            self.core.shelf.update(view, check_view(body["view"], "modal"))
        else:
            self.core.shelf.push(self.workspace.apps[view.app_id], user.id, check_view(body["view"], "modal"))
        return {}

    async def close(self, user: User, view_id: str, *, is_all: bool = False) -> Json:
        """Close the top modal, or with `is_all` (the cross) or clear_on_close the whole stack."""
        view = self.get_modal(user, view_id)
        since = self.workspace.feed.last_number
        is_cleared = is_all or bool(view.body.get("clear_on_close"))
        closed = self.core.shelf.clear(user.id) if is_cleared else [view]
        self.core.shelf.close(view)
        ack = Ack()
        for one in closed:
            if one.body.get("notify_on_close"):
                ack = await self.tell_closed(user, one, is_cleared=is_cleared)
        return await self.stage.report(user, since, ack)

    async def tell_closed(self, user: User, view: View, *, is_cleared: bool) -> Ack:
        """Send view_closed."""
        app = self.workspace.apps[view.app_id]
        payload = build_interaction(self.core, app, user, "view_closed")
        payload |= {"view": view.to_slack(), "is_cleared": is_cleared}
        return await self.core.send(app, Parcel("interactivity", payload, accepts_response=False), "view_closed")


def list_fields(view: View, given: Json) -> Iterator[tuple[str | None, str, Any]]:
    """(block_id, action_id, value) for what was given in either form."""
    block_ids = {block["block_id"] for block in view.blocks}
    for key, value in given.items():
        is_block = key in block_ids and isinstance(value, dict)
        if is_block and all(find_elements(view.blocks, action_id, key) for action_id in value):
            for action_id, inner in value.items():
                yield key, action_id, inner
        else:
            yield None, key, value


def check_errors(view: View, errors: Any) -> dict[str, str]:
    """Errors must name input blocks of the view; raises RefusalError `invalid_errors`."""
    inputs = {block["block_id"] for block in view.blocks if block["type"] == "input"}
    if not isinstance(errors, dict) or not errors or not set(errors) <= inputs:
        raise RefusalError("invalid_errors", ["[ERROR] errors must name block_ids of input blocks"])
    return {block_id: str(words) for block_id, words in errors.items()}
