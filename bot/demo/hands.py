"""Hands in the local Slack: commands typed, forms filled in, buttons pressed as people do it, and the answers waited
for. Owns the way through the control API; refuses to know why.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from aiohttp import ClientSession

from bot.demo.sample.care import Act
from playground.server import Playground

Json = dict[str, Any]
_PATIENCE = 2000
_LOOK_SECONDS = 0.01
_BUSY, _TRIES, _PAUSE_SECONDS = "nothing was saved. Try again", 10, 1.0


@dataclass(frozen=True)
class Hands:
    """Acts in `channel` of the local Slack, whose control API `session` reaches."""

    slack: Playground
    session: ClientSession
    channel: str

    async def act(self, what: str, **body: object) -> Json:
        """Do what a person could: "command", "submit" … Raises `RuntimeError` if it did not work."""
        async with self.session.post(f"{self.slack.url}/_play/{what}", json=body) as response:
            told: Json = await response.json()
        if not told.get("ok") or told.get("errors"):
            raise RuntimeError(f"{what} {body}: {told}")
        return told

    async def type(self, user: str, text: str) -> Json:
        """Type a command and wait for its answer, which is returned as the note that the person sees. Where Milepost
        is busy and asks for it, the command is typed again.
        """
        for _try in range(_TRIES):
            before = len(self._list_notes(user))
            await self.act("command", user=user, channel=self.channel, text=f"/cs {text}")
            await self._wait_for_note(user, before, text)
            note = self._list_notes(user)[-1]
            if _BUSY not in note["text"]:
                return note
            await asyncio.sleep(_PAUSE_SECONDS)
        raise RuntimeError(f"always busy: {text}")

    async def fill(self, user: str, text: str, values: Mapping[str, object], button: str = "") -> None:
        """Type a command that opens a form, or whose answer has a `button` that does; fill it in and send it.

        A field is named by its block; its value is that of the element called "value", or {element: value}.
        """
        if button:
            note = await self.type(user, text)
            place = {"channel": self.channel, "ts": note["ts"], "block_id": _find_block(note, button)}
            await self.act("press", user=user, action_id=button, **place)
        else:
            await self.act("command", user=user, channel=self.channel, text=f"/cs {text}")
        await self._wait(lambda: bool(self._stack(user)), text)
        filled = {name: value if isinstance(value, dict) else {"value": value} for name, value in values.items()}
        before = len(self._list_notes(user))
        await self._submit(user, filled)
        await self._wait_for_note(user, before, text)

    async def carry_out(self, acts: Iterable[Act], ids: Mapping[str, str]) -> None:
        """Do what each CSM did, in order; the CSMs at the same time. `ids`: Slack's, by e-mail address."""
        ordered = sorted(acts, key=lambda act: act.owner_email)
        groups = groupby(ordered, key=lambda act: act.owner_email)
        await asyncio.gather(*(self._carry_out(ids[owner], list(own)) for owner, own in groups))

    def dismiss_notes(self) -> None:
        """Dismiss all that only one person sees, as everybody's Slack has forgotten by the next day."""
        workspace = self.slack.core.workspace
        for note in list(workspace.ephemerals.values()):
            workspace.delete_message(note)

    async def _carry_out(self, user: str, acts: list[Act]) -> None:
        for act in acts:
            if act.fields:
                await self.fill(user, act.text, act.fields, act.button)
            else:
                await self.type(user, act.text)

    async def _submit(self, user: str, filled: Json) -> None:
        """Send the form that is open; again, where Milepost was busy."""
        for left in reversed(range(_TRIES)):
            try:
                await self.act("submit", user=user, view_id=self._stack(user)[-1].id, values=filled)
            except RuntimeError as error:
                if _BUSY not in str(error) or not left:
                    raise
                await asyncio.sleep(_PAUSE_SECONDS)
            else:
                return

    async def _wait_for_note(self, user: str, before: int, about: str) -> None:
        await self._wait(lambda: len(self._list_notes(user)) > before, about)

    def _list_notes(self, user: str) -> list[Json]:
        return [note.to_slack() for note in self.slack.core.workspace.list_notes(self.channel, user)]

    def _stack(self, user: str) -> list[Any]:
        return self.slack.core.shelf.stacks.get(user, [])

    async def _wait(self, is_there: Callable[[], bool], about: str) -> None:
        for _look in range(_PATIENCE):
            if is_there():
                return
            await asyncio.sleep(_LOOK_SECONDS)
        raise RuntimeError(f"no answer: {about}")


def _find_block(note: Json, action_id: str) -> str:
    """The id of the first block of a message with a button of that action. Raises `RuntimeError` without one."""
    for block in note["blocks"]:
        buttons = [*block.get("elements", []), block.get("accessory") or {}]
        if any(each.get("action_id") == action_id for each in buttons):
            return str(block["block_id"])
    raise RuntimeError(f"no button {action_id} in {note['text']}")
