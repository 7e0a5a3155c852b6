"""The shape of a subject's slice: what a person did comes in as a Call, what they see goes out as Replies.

Owns the vocabulary between the Slack edge and the slices; refuses to know Slack's transports and any subject.
To extend: write a handler, add one entry to the subject's `SLICE`, test it; help and manifest follow.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from rules.people.roles import Permission, require
from rules.records import Actor, Role
from storage.db import Tx
from words.reader import Reader

write_compact = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode
"""JSON for values that Slack carries and limits."""

# ---------------------------------------------------------------- what comes in


@dataclass(frozen=True)
class Person:
    """The member who acts: `id` is ours, `slack_id` is Slack's."""

    id: str
    slack_id: str
    name: str
    role: Role

    @property
    def actor(self) -> Actor:
        """The person as the audit names them."""
        return Actor("member", self.id, self.name)


@dataclass(frozen=True)
class Ref:
    """What a button is about, carried in its value: ids only, never rights. `extra` holds short strings.

    Raises `ValueError` from `parse` on anything that is not such a value.
    """

    kind: str
    id: str
    extra: Mapping[str, str] = field(default_factory=dict)

    def dump(self) -> str:
        """Compact JSON, for a button's value (<= 2000) or a view's private_metadata (<= 3000)."""
        return write_compact([self.kind, self.id, dict(self.extra)])

    @classmethod
    def parse(cls, text: str) -> Ref:
        """Read what `dump` wrote."""
        kind, id_, extra = json.loads(text)
        if not (isinstance(kind, str) and isinstance(id_, str) and isinstance(extra, dict)):
            raise ValueError("not a reference")
        return cls(kind, id_, {str(name): str(value) for name, value in extra.items()})


class Surface(StrEnum):
    """Where a button sits."""

    MESSAGE = "message"
    EPHEMERAL = "ephemeral"
    HOME = "home"
    FORM = "form"


@dataclass(frozen=True)
class Call:
    """One thing a person did, with all a handler may know.

    `text`: the words after the subcommand (commands), or what was typed so far (choices).
    `ref`: of the button pressed, the form submitted, or the form a choice belongs to.
    `picked`: the value of the menu option chosen (overflow, select), "" for a plain button.
    `values`: fields of a submitted form by field name: str, list[str] or None when empty.
    """

    person: Person
    reader: Reader
    now: datetime
    channel: str = ""
    text: str = ""
    ref: Ref | None = None
    picked: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    surface: Surface = Surface.MESSAGE

    def require(self, permission: Permission, *, owner_id: str | None = None, owner: str = "") -> None:
        """Raise `NotAllowedError` unless the person may; `owner_id` is the member who owns the account."""
        is_own = owner_id is None or owner_id == self.person.id
        require(self.person.role, permission, is_own=is_own, owner=owner)

    def value(self, name: str) -> str:
        """A form field as stripped text, "" when empty."""
        found = self.values.get(name)
        return found.strip() if isinstance(found, str) else ""


# ---------------------------------------------------------------- what goes out


@dataclass(frozen=True)
class Picture:
    """A picture that goes with a message. `draw` makes the bytes of a PNG when the message is sent, in a thread of its
    own, from data it already holds; `alt` says in words what it shows. A message is sent without one that cannot be
    drawn or uploaded.
    """

    name: str
    alt: str
    draw: Callable[[], bytes]


@dataclass(frozen=True)
class Message:
    """A message ready for Slack: plain `text` (fallback and notification) and Block Kit `blocks` as JSON-able dicts.
    The `picture`, for messages of the outbox alone, stands behind the blocks.
    """

    text: str
    blocks: tuple[dict[str, Any], ...] = ()
    picture: Picture | None = None


@dataclass(frozen=True)
class FormView:
    """A modal: `form` is the id of its Form; `ref` travels in private_metadata; `submit` "" = read only."""

    form: str
    title: str
    blocks: tuple[dict[str, Any], ...]
    submit: str = ""
    ref: Ref | None = None


@dataclass(frozen=True)
class Whisper:
    """Only the person sees it."""

    message: Message


@dataclass(frozen=True)
class Replace:
    """Take the place of the ephemeral the pressed button sits on. (A channel message is never replaced this
    way: its change goes through the outbox with the change of state.)
    """

    message: Message


@dataclass(frozen=True)
class OpenForm:
    """Open a modal."""

    view: FormView


@dataclass(frozen=True)
class PushForm:
    """Open a modal on top of the one the button sits in."""

    view: FormView


@dataclass(frozen=True)
class UpdateForm:
    """Replace the modal the person looks at."""

    view: FormView


@dataclass(frozen=True)
class FormErrors:
    """Keep the form open, with a sentence under each named field."""

    errors: Mapping[str, str]


@dataclass(frozen=True)
class Options:
    """Answer to a menu that loads its options: (value, label) pairs, at most 100."""

    options: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Home:
    """The person's Home tab."""

    blocks: tuple[dict[str, Any], ...]


Reply = Whisper | Replace | OpenForm | PushForm | UpdateForm | FormErrors | Options | Home
Handler = Callable[[Call, Tx], Sequence[Reply]]


def answer_in_place(call: Call, said: Message) -> Reply:
    """In place of the ephemeral whose button was pressed, else a whisper of its own."""
    return Replace(said) if call.surface is Surface.EPHEMERAL else Whisper(said)


Render = Callable[[str, Tx, Reader], Message | None]
Access = Literal["reads", "writes"]

# ---------------------------------------------------------------- what a subject registers


@dataclass(frozen=True)
class Command:
    """A subcommand of `/cs`: its arguments, one line of help, and `examples` as whole lines after `/cs`.

    `access` may depend on the words typed, so that a list or a form never waits for a writer. A handler that is said to
    read cannot write: its transaction is read-only.
    """

    name: str
    usage: str
    summary: str
    handle: Handler
    access: Access | Callable[[str], Access]
    examples: tuple[str, ...] = ()

    def get_access(self, text: str) -> Access:
        """What the command needs when `text` is typed after it."""
        return self.access(text) if callable(self.access) else self.access


@dataclass(frozen=True)
class Button:
    """A button or menu by its action id, `subject.verb`. Opening a form is a read."""

    action: str
    handle: Handler
    access: Access


@dataclass(frozen=True)
class Form:
    """A modal by its callback id, `subject.noun`."""

    form: str
    handle: Handler
    access: Access = "writes"


@dataclass(frozen=True)
class Choice:
    """A menu that loads its options, by its action id."""

    action: str
    handle: Handler


@dataclass(frozen=True)
class Slice:
    """One subject: everything a person can do with it. `renders` turn (reference, tx, reader) into the message
    an outbox row asks for (None: nothing is left to say, the row is cancelled). `home` builds the Home tab (one slice
    only).
    """

    name: str
    commands: tuple[Command, ...] = ()
    buttons: tuple[Button, ...] = ()
    forms: tuple[Form, ...] = ()
    choices: tuple[Choice, ...] = ()
    renders: Mapping[str, Render] = field(default_factory=dict)
    home: Handler | None = None
