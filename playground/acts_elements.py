"""What a person does with interactive elements: press, pick, search options.

Owns which element is meant, what the pick becomes in the payload, and the notice when the app fails.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from playground.acts import Stage
from playground.blockkit.check import elements_of
from playground.blockkit.objects import Option, OptionGroup, Strict
from playground.core import Core
from playground.delivery import Ack, Parcel
from playground.errors import ActError
from playground.inputs import STATE_KEYS, find_elements, keep_typed, list_options, to_state
from playground.manifest import App
from playground.model import Channel, Json, Message, User, View
from playground.payloads import (
    build_action,
    build_interaction,
    give_response_url,
    locate_in_message,
    locate_in_view,
)

DEFAULT_QUERY_LENGTH = 3
NO_ANSWER = "This app did not respond ({error})."


class OptionsIn(Strict):
    """An app's answer to a search: options or groups of them."""

    options: Annotated[list[Option], Field(max_length=100)] | None = None
    option_groups: Annotated[list[OptionGroup], Field(max_length=100)] | None = None


OPTIONS = TypeAdapter(OptionsIn)


@dataclass(frozen=True)
class Surface:
    """Where an element is: a message (or note) or a view, and the app that made it."""

    app: App
    blocks: list[Json]
    values: Json
    message: Message | None = None
    view: View | None = None


@dataclass(frozen=True)
class Press:
    """What was pressed. `given` is a bare value, a list, an option, or an entry of `state.values`."""

    action_id: str
    block_id: str | None = None
    given: Any = None


class Elements:
    """Presses and searches."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.core = stage.core
        self.workspace = stage.workspace
        self.typed: dict[tuple[str, str], Json] = {}

    def find_surface(self, user: User, channel: Channel | None, ts: str | None, view_id: str | None) -> Surface:
        """The message, note or view that a person means; raises ActError."""
        if view_id is not None:
            for view in self.core.shelf.list_seen_by(user.id):
                if view.id == view_id:
                    return Surface(self.workspace.apps[view.app_id], view.blocks, view.values, view=view)
            raise ActError(f"{user.name} has no open view {view_id}")
        if channel is None or ts is None:
            raise ActError("give channel and ts of a message, or view_id")
        note = self.workspace.ephemerals.get(ts)
        message = note if note and note.ephemeral_to == user.id else self.workspace.find_message(channel.id, ts)
        if message is None or message.app_id is None:
            raise ActError(f"no app's message {ts} for {user.name} in {channel.name or channel.id}")
        blocks = message.blocks + [block for held in message.attachments for block in held.get("blocks", [])]
        values = self.typed[ts, user.id] = keep_typed(blocks, self.typed.get((ts, user.id), {}))
        return Surface(self.workspace.apps[message.app_id], blocks, values, message=message)

    def find_element(self, surface: Surface, press: Press) -> tuple[Json, Json]:
        """The one element that is meant; raises ActError when there is none or more than one."""
        found = find_elements(surface.blocks, press.action_id, press.block_id)
        if len(found) > 1 and press.given is not None:
            found = [pair for pair in found if is_offered(pair[1], press.given)]
        if not found:
            known = ", ".join(list_action_ids(surface.blocks)) or "none"
            raise ActError(f"no element {press.action_id!r} is meant; there are: {known}")
        if len(found) > 1:
            raise ActError(f"several elements {press.action_id!r}: give block_id or value")
        return found[0]

    async def press(
        self, user: User, surface: Surface, press: Press, state: Json | None = None, wait_seconds: float = 0.0
    ) -> Json:
        """Press or pick; the app hears of it unless it is a form's field without dispatch_action."""
        block, element = self.find_element(surface, press)
        since = self.workspace.feed.last_number
        self.take_state(surface, state or {})
        picked = await self.pick(user, surface, (block, element), press.given)
        if element["type"] in STATE_KEYS:
            entry = {"type": element["type"], **picked}
            surface.values.setdefault(block["block_id"], {})[element["action_id"]] = entry
        if block["type"] == "input" and not block.get("dispatch_action"):
            return await self.stage.report(user, since, Ack())
        payload = self.build_press(user, surface, build_action(self.core, block, element, picked))
        parcel = Parcel("interactivity", payload, accepts_response=False)
        ack = await self.core.send(surface.app, parcel, f"block_actions {press.action_id}")
        if ack.error:
            self.show_failure(user, surface, ack.error)
        return await self.stage.report(user, since, ack, wait_seconds)

    def take_state(self, surface: Surface, state: Json) -> None:
        """What the page says was typed elsewhere on the surface."""
        for block_id, actions in state.items():
            for action_id, given in actions.items():
                for block, element in find_elements(surface.blocks, action_id, block_id):
                    known = surface.values.setdefault(block["block_id"], {})
                    known[action_id] = {"type": element["type"], **strip_type(given)}

    async def pick(self, user: User, surface: Surface, pair: tuple[Json, Json], given: Any) -> Json:
        """The keys that the pick adds to the action; `pair` is the block and its element."""
        element = pair[1]
        if element["type"] == "button":
            return {"value": element["value"]} if "value" in element else {}
        if element["type"] == "overflow":
            options = [option for option in element["options"] if is_option(option, given)]
            if not options:
                raise ActError(f"{element['action_id']}: no option {given!r} is offered")
            return {"selected_option": options[0]}
        return strip_type(await self.read_given(user, surface, pair, given))

    async def read_given(self, user: User, surface: Surface, pair: tuple[Json, Json], given: Any) -> Json:
        """The entry of `state.values` for what a person gave, options looked up where the app answers them."""
        element = pair[1]
        given = self.name_ids(element["type"], given)
        offered = list_options(element)
        if element["type"].endswith("external_select"):
            offered = self.list_shown(user, element)
            try:
                return to_state(element, given, offered)
            except ActError:
                offered = await self.search_for(user, surface, pair, given)
        return to_state(element, given, offered)

    def name_ids(self, kind: str, given: Any) -> Any:
        """Ids for what may be given by handle or #name; raises ActError for people and places that are not there."""
        if kind.split("_select", maxsplit=1)[0].removeprefix("multi_") not in {"users", "conversations", "channels"}:
            return given
        if isinstance(given, dict):
            given = next(iter(strip_type(given).values()), None)
        if isinstance(given, list):
            return [self.name_ids(kind, one) for one in given]
        if given in (None, ""):
            return None
        return self.workspace.get_user(given).id if "users" in kind else self.workspace.get_channel(given).id

    def list_shown(self, user: User, element: Json) -> list[Json]:
        """Options that the person was shown for an external select."""
        start = [*element.get("initial_options", []), element.get("initial_option")]
        return [option for option in start if option] + self.core.offered.get((user.id, element["action_id"]), [])

    async def search_for(self, user: User, surface: Surface, pair: tuple[Json, Json], given: Any) -> list[Json]:
        """Ask the app as a person would who looks for these values."""
        block_id, element = pair[0]["block_id"], pair[1]
        wanted = given if isinstance(given, list) else [given]
        found = self.list_shown(user, element)
        for query in ["", *(str(one.get("value") if isinstance(one, dict) else one) for one in wanted)]:
            await self.search(user, surface, Press(element["action_id"], block_id), query)
            found += self.core.offered.get((user.id, element["action_id"]), [])
        return found

    async def search(self, user: User, surface: Surface, press: Press, query: str) -> Json:
        """Type into an external select; the app's options."""
        block, element = self.find_element(surface, press)
        if len(query) < element.get("min_query_length", DEFAULT_QUERY_LENGTH):
            return {"ok": True, "options": []}
        payload = build_interaction(self.core, surface.app, user, "block_suggestion")
        payload |= locate(self.core, surface)
        payload |= {"action_id": press.action_id, "block_id": block["block_id"], "value": query}
        parcel = Parcel("options", payload, accepts_response=True)
        ack = await self.core.send(surface.app, parcel, f"block_suggestion {press.action_id}")
        if ack.error:
            return {"ok": False, "error": ack.error, "options": []}
        try:
            answer = OPTIONS.validate_python(ack.body).model_dump(exclude_none=True)
        except ValidationError as error:
            return {"ok": False, "error": "invalid_options", "detail": str(error), "options": []}
        self.core.offered[user.id, press.action_id] = list_options(answer)
        return {"ok": True, **answer}

    def build_press(self, user: User, surface: Surface, action: Json) -> Json:
        """The block_actions payload."""
        payload = build_interaction(self.core, surface.app, user, "block_actions")
        payload |= locate(self.core, surface) | {"actions": [action]}
        view_id = surface.view.id if surface.view and surface.view.kind == "modal" else None
        payload["trigger_id"] = self.core.permits.give_trigger(surface.app.app_id, user.id, view_id)
        if surface.message is not None:
            payload["state"] = {"values": surface.values}
            payload["response_url"] = give_response_url(self.core, surface.app, user, surface.message)
        return payload

    def show_failure(self, user: User, surface: Surface, error: str) -> None:
        """What the person sees when the app did not answer a press."""
        text = NO_ANSWER.format(error=error)
        if surface.view is not None:
            self.core.shelf.fail(surface.view, text)
        elif surface.message is not None:
            channel = self.workspace.channels[surface.message.channel]
            self.stage.notify(user, channel, text, surface.message.thread_ts)


def locate(core: Core, surface: Surface) -> Json:
    """Container and place of an interaction."""
    if surface.view is not None:
        return locate_in_view(surface.view)
    if surface.message is None:
        raise ActError("an element is in a message or in a view")
    return locate_in_message(core, surface.message)


def list_action_ids(blocks: list[Json]) -> list[str]:
    """Every action id in these blocks."""
    return sorted({element["action_id"] for block in blocks for element in elements_of(block)})


def is_option(option: Json, given: Any) -> bool:
    """Whether an option (or its value, or an action holding it) is meant."""
    if isinstance(given, dict):
        given = given.get("selected_option", given).get("value")
    return bool(option["value"] == given)


def is_offered(element: Json, given: Any) -> bool:
    """Whether a value tells this element from others with the same action id."""
    if element["type"] == "button":
        return bool(element.get("value") == given)
    return any(is_option(option, given) for option in list_options(element))


def strip_type(state: Json) -> Json:
    """An entry of `state.values` without its type."""
    return {key: value for key, value in state.items() if key != "type"}
