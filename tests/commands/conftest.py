"""What tests of slash commands, forms and buttons share: people with a role, calls as the edge makes them, and a
look at the replies that refuses whatever Slack would refuse.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import pytest

from commands.kit import option
from commands.slice import (
    Call,
    FormView,
    Handler,
    Message,
    OpenForm,
    Options,
    Person,
    PushForm,
    Ref,
    Replace,
    Reply,
    Surface,
    UpdateForm,
    Whisper,
)
from playground.blockkit.check import check_blocks
from rules.accounts.accounts import AccountDraft, decide_add
from rules.records import Actor, Role
from storage.accounts.account_writes import apply_accounts
from storage.accounts.accounts import AccountRow
from storage.db import Tx
from storage.people.members import MemberRow, add_by_slack_id
from tests.conftest import NOW
from words.reader import Reader

ACTOR = Actor("import", "accounts.csv")


@dataclass
class Desk:
    """One workspace with an open transaction, and the means to act in it.

    `call` builds what a handler is given; `do` hands it over, checks every reply against Slack's limits and gives
    the replies back.
    """

    tx: Tx
    now: datetime = NOW

    def add_member(self, slack_id: str = "U0000001", role: Role = Role.CSM, name: str = "Ada") -> MemberRow:
        row = add_by_slack_id(self.tx, slack_id, role=role, zone="UTC", locale="en-US")
        row.name, row.role = name, role
        self.tx.session.flush()
        return row

    def person(self, role: Role = Role.CSM, slack_id: str = "U0000001", name: str = "Ada") -> Person:
        row = self.add_member(slack_id, role, name)
        return Person(row.id, slack_id, name, role)

    def add_account(self, name: str = "Acme Corp", **more: Any) -> AccountRow:
        return apply_accounts(self.tx, decide_add(replace(AccountDraft(name), **more)), ACTOR, self.now)[0]

    def call(self, text: str = "", *, person: Person | None = None, **more: Any) -> Call:
        more.setdefault("now", self.now)
        more.setdefault("channel", "C9999999")
        return Call(person=person or self.person(), reader=Reader("en-US", "UTC"), text=text, **more)

    def do(self, handle: Handler, text: str = "", **more: Any) -> Sequence[Reply]:
        replies = handle(self.call(text, **more), self.tx)
        self.tx.session.flush()
        for reply in replies:
            check(reply)
        return replies

    def say(self, handle: Handler, text: str = "", **more: Any) -> str:
        """All that the replies show, as one text."""
        return "\n".join(shown(reply) for reply in self.do(handle, text, **more))

    def press(self, handle: Handler, ref: Ref, **more: Any) -> Sequence[Reply]:
        more.setdefault("surface", Surface.EPHEMERAL)
        return self.do(handle, ref=Ref.parse(ref.dump()), **more)


def check(reply: Reply) -> None:
    """Refuse a reply that Slack would refuse."""
    if isinstance(reply, Whisper | Replace):
        assert 0 < len(reply.message.text) <= 4000
        check_blocks(list(reply.message.blocks), "message")
    elif isinstance(reply, OpenForm | PushForm | UpdateForm):
        assert len(reply.view.title) <= 24
        assert len(reply.view.submit) <= 24
        assert reply.view.ref is None or len(reply.view.ref.dump()) < 2800
        check_blocks(list(reply.view.blocks), "modal")
    elif isinstance(reply, Options):
        assert len(reply.options) <= 100
        assert all(option(value, label).validate_json() is None for value, label in reply.options)


def shown(reply: Reply) -> str:
    """Every text a person reads in a reply."""
    if isinstance(reply, Whisper | Replace):
        return "\n".join([reply.message.text, *_texts(list(reply.message.blocks))])
    if isinstance(reply, OpenForm | PushForm | UpdateForm):
        return "\n".join([reply.view.title, *_texts(list(reply.view.blocks))])
    return repr(reply)


def _texts(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["text"]] if isinstance(node.get("text"), str) else []
        return own + [text for value in node.values() for text in _texts(value)]
    return [text for each in node for text in _texts(each)] if isinstance(node, list) else []


def get_message(replies: Sequence[Reply]) -> Message:
    """The one message said or put in place."""
    (reply,) = replies
    assert isinstance(reply, Whisper | Replace)
    return reply.message


def get_form(replies: Sequence[Reply]) -> FormView:
    """The one form opened."""
    (reply,) = replies
    assert isinstance(reply, OpenForm)
    return reply.view


def find_ref(replies: Sequence[Reply], action: str) -> Ref:
    """What the button of `action` in a message carries."""
    for block in get_message(replies).blocks:
        for element in block.get("elements", []):
            if element.get("action_id") == action:
                return Ref.parse(element["value"])
    raise AssertionError(f"no button {action}")


def initial_values(view: FormView) -> dict[str, Any]:
    """What the form shows before anybody types, by field: text, day, or the value of the chosen option."""
    found: dict[str, Any] = {}
    for block in view.blocks:
        element = block.get("element", {})
        chosen = element.get("initial_option") or {}
        plain = (value for name, value in element.items() if name.startswith("initial_") and isinstance(value, str))
        if "element" in block:
            found[block["block_id"]] = chosen.get("value") or next(plain, None)
    return found


@pytest.fixture
def desk(sqlite_tx: Tx) -> Desk:
    """A workspace on SQLite with nobody and nothing in it."""
    return Desk(sqlite_tx)
