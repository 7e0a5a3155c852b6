"""views.*: modals and Home tabs through the Web API."""

from __future__ import annotations

from typing import Any

from playground.errors import RefusalError
from playground.messages import decode
from playground.method import AnyMethod, Arguments, Call, Method
from playground.model import Json
from playground.views import check_view


class Open(Arguments):
    """Arguments of views.open and views.push."""

    trigger_id: str
    view: Any


class UpdateView(Arguments):
    """Arguments of views.update."""

    view: Any
    view_id: str | None = None
    external_id: str | None = None
    hash: str | None = None


class Publish(Arguments):
    """Arguments of views.publish."""

    user_id: str
    view: Any
    hash: str | None = None


def read_view(view: Any) -> Any:
    """A view that may have come as JSON text."""
    return decode(view, "invalid_arguments")


def views_open(call: Call, args: Open) -> Json:
    """Open a modal; the trigger is used up only when the view is good."""
    body = check_view(read_view(args.view), "modal")
    trigger = call.core.permits.exchange_trigger(args.trigger_id, call.app.app_id)
    return {"view": call.core.shelf.open(call.app, trigger.user, body).to_slack()}


def views_push(call: Call, args: Open) -> Json:
    """Push a modal onto the stack that the trigger came from."""
    body = check_view(read_view(args.view), "modal")
    trigger = call.core.permits.exchange_trigger(args.trigger_id, call.app.app_id)
    if trigger.view_id is None:
        raise RefusalError("not_found")
    return {"view": call.core.shelf.push(call.app, trigger.user, body).to_slack()}


def views_update(call: Call, args: UpdateView) -> Json:
    """Replace an open view."""
    if (args.view_id is None) == (args.external_id is None):
        raise RefusalError("invalid_arguments", ["[ERROR] exactly one of view_id and external_id is required"])
    view = call.core.shelf.find(call.app, args.view_id, args.external_id)
    if view is None:
        raise RefusalError("not_found")
    body = check_view(read_view(args.view), "home" if view.kind == "home" else "modal")
    return {"view": call.core.shelf.update(view, body, args.hash).to_slack()}


def views_publish(call: Call, args: Publish) -> Json:
    """Show a Home tab to a person."""
    body = check_view(read_view(args.view), "home")
    if not call.app.has_home:
        raise RefusalError("not_enabled")
    if args.user_id not in call.workspace.users:
        raise RefusalError("user_not_found")
    return {"view": call.core.shelf.publish(call.app, args.user_id, body, args.hash).to_slack()}


METHODS: dict[str, AnyMethod] = {
    "views.open": Method(Open, views_open),
    "views.push": Method(Open, views_push),
    "views.update": Method(UpdateView, views_update),
    "views.publish": Method(Publish, views_publish),
}
