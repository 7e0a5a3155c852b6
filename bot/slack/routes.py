"""Which handler answers which payload. Owns the look-up over the slices; refuses to call anything."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from bot.slack.payloads import HELP, Origin, Payload
from commands.slice import Access, Button, Choice, Command, Form, Handler, Slice


@dataclass(frozen=True)
class Route:
    """A handler by its name. `text` is what it gets as `Call.text`."""

    name: str
    handle: Handler
    access: Access
    text: str


class _Named(Protocol):
    @property
    def handle(self) -> Handler: ...


_N = TypeVar("_N", bound=_Named)


@dataclass(frozen=True)
class Routes:
    """All handlers of all slices, by name."""

    commands: Mapping[str, Command] = field(default_factory=dict)
    buttons: Mapping[str, Button] = field(default_factory=dict)
    forms: Mapping[str, Form] = field(default_factory=dict)
    choices: Mapping[str, Choice] = field(default_factory=dict)
    home: Handler | None = None

    def find(self, payload: Payload) -> Route | None:
        """Who answers; an unknown subcommand goes to `help` with the whole line as its text."""
        match payload.origin:
            case Origin.COMMAND | Origin.RERUN:
                return self._find_command(payload)
            case Origin.SUBMISSION:
                form = self.forms.get(payload.name)
                return Route(form.form, form.handle, form.access, "") if form else None
            case Origin.SUGGESTION:
                choice = self.choices.get(payload.name)
                return Route(choice.action, choice.handle, "reads", payload.text) if choice else None
            case Origin.HOME_OPENED:
                return Route("home", self.home, "reads", "") if self.home else None
            case _:
                button = self.buttons.get(payload.name)
                return Route(button.action, button.handle, button.access, "") if button else None

    def _find_command(self, payload: Payload) -> Route | None:
        command = self.commands.get(payload.name)
        if command is not None:
            return Route(command.name, command.handle, command.get_access(payload.text), payload.text)
        found = self.commands.get(HELP)
        return Route(HELP, found.handle, found.get_access(payload.line), payload.line) if found else None


def build_routes(slices: Sequence[Slice]) -> Routes:
    """The routes of `slices`. Raises `ValueError` where two of them claim the same name."""
    homes = [each.home for each in slices if each.home is not None]
    if len(homes) > 1:
        raise ValueError("two slices build the Home tab")
    return Routes(
        commands=_by_name((each.name, each) for one in slices for each in one.commands),
        buttons=_by_name((each.action, each) for one in slices for each in one.buttons),
        forms=_by_name((each.form, each) for one in slices for each in one.forms),
        choices=_by_name((each.action, each) for one in slices for each in one.choices),
        home=next(iter(homes), None),
    )


def _by_name(named: Iterable[tuple[str, _N]]) -> dict[str, _N]:
    found: dict[str, _N] = {}
    for name, each in named:
        if name in found:
            raise ValueError(f"two slices claim {name!r}")
        found[name] = each
    return found
