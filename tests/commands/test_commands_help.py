"""`/cs help`: told from what is registered."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from commands.accounts import accounts
from commands.help import help_slice
from commands.people import setup
from commands.slice import Handler, Slice
from commands.success import targets
from tests.commands.conftest import Desk, get_message


def list_slices() -> Sequence[Slice]:
    return (accounts.SLICE, targets.SLICE, setup.SLICE)


@pytest.fixture
def ask() -> Handler:
    return help_slice(list_slices).commands[0].handle


def test_help_lists_every_command_once_with_its_summary(desk: Desk, ask: Handler):
    text = "\n".join(block["text"]["text"] for block in get_message(desk.do(ask)).blocks if block["type"] == "section")
    for slice_ in list_slices():
        for command in slice_.commands:
            assert text.count(f"`/cs {command.name} ") == 1
            assert command.summary in text


@pytest.mark.parametrize("subject", ["log", "LOG", "log acme"])
def test_a_subject_shows_its_examples(desk: Desk, ask: Handler, subject: str):
    text = desk.say(ask, subject)
    assert "/cs log acme conversion 7.5% after the new landing page" in text
    assert "/cs list" not in text


def test_a_slices_name_shows_all_its_commands(desk: Desk, ask: Handler):
    text = desk.say(ask, "targets")
    assert "/cs target acme" in text
    assert "/cs log acme" in text


@pytest.mark.parametrize(("typed", "meant"), [("shwo acme", "show"), ("lst", "list"), ("tagret x", "target")])
def test_an_unknown_command_offers_the_nearest_and_the_list(desk: Desk, ask: Handler, typed: str, meant: str):
    text = desk.say(ask, typed)
    assert f"There is no command “{typed.split(maxsplit=1)[0]}”; did you mean `/cs {meant}`?" in text
    assert "/cs add" in text


def test_what_was_typed_is_escaped_and_cut(desk: Desk, ask: Handler):
    text = desk.say(ask, "<!channel>" + "x" * 5000)
    assert "<!channel>" not in text
    assert "x" * 50 not in text
