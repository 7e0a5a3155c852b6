"""Installing apps, and the ends of their tokens: uninstalled, revoked, installed again.

Owns which token works when and what the app hears of it; `manifest` owns what an app is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from playground.core import Core
from playground.errors import ActError
from playground.events import Events
from playground.manifest import App, mint_bot_token, read_manifest
from playground.model import User


@dataclass(frozen=True)
class Installed:
    """What the owner of an app gets when it is installed."""

    app_id: str
    bot_user_id: str
    bot_id: str
    bot_token: str
    app_token: str
    signing_secret: str


class Installing:
    """What an admin of the workspace does with apps."""

    def __init__(self, core: Core, events: Events) -> None:
        self.core = core
        self.workspace = core.workspace
        self.events = events

    def find(self, app_id: str | None) -> App:
        """An app by its id, or the first one, installed or not any more; raises ActError."""
        for app in self.workspace.apps.values():
            if app_id in {None, app.app_id}:
                return app
        raise ActError(f"no app {app_id or 'is installed'}")

    def install(self, manifest: Mapping[str, Any], installer: str) -> Installed:
        """Install an app from its manifest, with a bot user in no channel yet.

        Raises:
            ManifestError: the manifest cannot be read.
            ActError: the installer is unknown.
        """
        app = read_manifest(manifest, self.workspace.get_user(installer).id, self.workspace.ids)
        handle = self._free_handle(app.display_name.lower().replace(" ", ""))
        bot = User(id=app.bot_user_id, name=handle, real_name=app.display_name, tz="UTC", is_bot=True)
        self.workspace.users[bot.id] = bot
        self.workspace.apps[app.app_id] = app
        return self._tell(app)

    def revoke(self, app: App) -> None:
        """The bot's token is dead from now on: it hears tokens_revoked, where it still can."""
        app.dead_tokens[app.bot_token] = "token_revoked"
        self._say_revoked(app)

    def uninstall(self, app: App) -> None:
        """Remove an app: it hears app_uninstalled and tokens_revoked, then its tokens are dead."""
        self._say_revoked(app)
        self.events.emit(app, {"type": "app_uninstalled"})
        app.dead_tokens |= dict.fromkeys((app.bot_token, app.app_token), "account_inactive")
        app.is_active = False

    def reinstall(self, app: App, *, keeps_token: bool = False) -> Installed:
        """Install an app again, its bot where it was, with a new bot token as in Slack, unless `keeps_token`."""
        if not keeps_token:
            app.bot_token = mint_bot_token()
        for token in (app.bot_token, app.app_token):
            app.dead_tokens.pop(token, None)
        app.is_active = True
        return self._tell(app)

    def _say_revoked(self, app: App) -> None:
        self.events.emit(app, {"type": "tokens_revoked", "tokens": {"bot": [app.bot_user_id]}})

    def _tell(self, app: App) -> Installed:
        self.workspace.feed.tell("channel", {"app": app.app_id})
        return Installed(app.app_id, app.bot_user_id, app.bot_id, app.bot_token, app.app_token, app.signing_secret)

    def _free_handle(self, wanted: str) -> str:
        """A handle that nobody has yet."""
        handle, number = wanted, 2
        while self.workspace.find_user(handle):
            handle, number = f"{wanted}{number}", number + 1
        return handle
