"""The control API for what goes wrong: faults, and tokens that end.

Owns its arguments and answers; `fault_rules` and `installing` own what they mean. Documented in README.md.
"""

from __future__ import annotations

import secrets
from dataclasses import asdict

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from playground.core import Core
from playground.errors import ActError
from playground.fault_rules import FaultRule
from playground.installing import Installing
from playground.requests import read_body

SEEDS = 1_000_000


class FaultsIn(BaseModel):
    """POST /_play/faults. Without a seed one is drawn; the answer names it, so that the run can be repeated."""

    model_config = ConfigDict(extra="forbid")

    rules: list[FaultRule] = Field(min_length=1)
    seed: int | None = None


class AppIn(BaseModel):
    """POST /_play/revoke and /_play/uninstall: the app, or the first one."""

    model_config = ConfigDict(extra="forbid")

    app_id: str | None = None


class ReinstallIn(AppIn):
    """POST /_play/reinstall."""

    keeps_token: bool = False


class FaultControl:
    """The endpoints."""

    def __init__(self, core: Core, installing: Installing) -> None:
        self.core = core
        self.book = core.fault_book
        self.installing = installing

    def routes(self) -> list[web.RouteDef]:
        """Where it listens."""
        return [
            web.get("/_play/faults", self.list_faults),
            web.post("/_play/faults", self.add_faults),
            web.delete("/_play/faults", self.clear_faults),
            web.post("/_play/revoke", self.revoke),
            web.post("/_play/uninstall", self.uninstall),
            web.post("/_play/reinstall", self.reinstall),
        ]

    async def list_faults(self, _: web.Request) -> web.Response:
        """The rules in force, with how often each was met and struck."""
        return web.json_response({"ok": True, "faults": self.book.to_json()})

    async def add_faults(self, request: web.Request) -> web.Response:
        """Put rules into force."""
        body = await read_body(request, FaultsIn)
        seed = secrets.randbelow(SEEDS) if body.seed is None else body.seed
        added = self.book.add(body.rules, seed)
        self.core.tell_faults()
        return web.json_response({"ok": True, "seed": seed, "faults": [one.to_json() for one in added]})

    async def clear_faults(self, request: web.Request) -> web.Response:
        """Take all rules out of force, or the one with the number `id`."""
        number = request.query.get("id")
        if number is not None and not number.isdecimal():
            raise ActError("id is the number of a fault")
        cleared = self.book.clear(None if number is None else int(number))
        self.core.tell_faults()
        return web.json_response({"ok": True, "cleared": cleared})

    async def revoke(self, request: web.Request) -> web.Response:
        """Revoke an app's bot token."""
        body = await read_body(request, AppIn)
        self.installing.revoke(self.installing.find(body.app_id))
        return web.json_response({"ok": True})

    async def uninstall(self, request: web.Request) -> web.Response:
        """Remove an app."""
        body = await read_body(request, AppIn)
        self.installing.uninstall(self.installing.find(body.app_id))
        return web.json_response({"ok": True})

    async def reinstall(self, request: web.Request) -> web.Response:
        """Install an app again; the answer holds its tokens."""
        body = await read_body(request, ReinstallIn)
        installed = self.installing.reinstall(self.installing.find(body.app_id), keeps_token=body.keeps_token)
        return web.json_response({"ok": True, **asdict(installed)})
