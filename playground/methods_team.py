"""auth.test, team.info and apps.connections.open: who am I, where, and how do I connect."""

from __future__ import annotations

from urllib.parse import urlencode

from playground.errors import RefusalError
from playground.method import AnyMethod, Arguments, Call, Method
from playground.model import Json


class NoArguments(Arguments):
    """A method that takes none."""


class TeamInfo(Arguments):
    """Arguments of team.info."""

    team: str | None = None
    domain: str | None = None


def auth_test(call: Call, _: NoArguments) -> Json:
    """Who the token belongs to."""
    team, bot = call.workspace.team, call.workspace.users[call.app.bot_user_id]
    return {
        "url": f"{call.core.url}/",
        "team": team.name,
        "user": bot.name,
        "team_id": team.id,
        "user_id": bot.id,
        "bot_id": call.app.bot_id,
        "is_enterprise_install": False,
    }


def team_info(call: Call, args: TeamInfo) -> Json:
    """The workspace."""
    team = call.workspace.team
    if args.team not in {None, team.id} or args.domain not in {None, team.domain}:
        raise RefusalError("team_not_found")
    icon = {"image_default": True}
    return {"team": {"id": team.id, "name": team.name, "domain": team.domain, "email_domain": "", "icon": icon}}


def apps_connections_open(call: Call, _: NoArguments) -> Json:
    """A WebSocket address that can be used once."""
    if not call.app.is_socket_mode:
        raise RefusalError("socket_mode_not_enabled")
    query = urlencode({"ticket": call.core.sockets.give_ticket(call.app), "app_id": call.app.app_id})
    return {"url": f"{call.core.url.replace('http', 'ws', 1)}/link/?{query}"}


METHODS: dict[str, AnyMethod] = {
    "auth.test": Method(NoArguments, auth_test),
    "team.info": Method(TeamInfo, team_info, "team:read"),
    "apps.connections.open": Method(NoArguments, apps_connections_open, is_app_level=True),
}
