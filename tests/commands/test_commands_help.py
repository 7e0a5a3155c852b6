"""`/cs help`: told from what is registered."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from bot.registry import SLICES
from bot.wiring import with_help
from commands.accounts import accounts
from commands.help import help_slice
from commands.kit import esc
from commands.people import setup
from commands.slice import Handler, OpenForm, Ref, Replace, Slice, Whisper
from commands.success import targets
from rules.errors import StaleError
from rules.records import Role
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
            assert text.count(f"`/cs {command.name}`  {command.summary}") == 1


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


def test_every_subject_leads_to_its_examples_and_back(desk: Desk):
    slices = with_help(SLICES)
    buttons = {each.action: each.handle for each in slices[0].buttons}
    whole = get_message(desk.do(slices[0].commands[0].handle))
    refs = [Ref.parse(block["accessory"]["value"]) for block in whole.blocks if "accessory" in block]
    assert [ref.id for ref in refs] == [each.name for each in slices if each.commands]
    for ref in refs:
        (shown_one,) = desk.press(buttons["help.subject"], ref)
        assert isinstance(shown_one, Replace)
        examples = [text for each in slices if each.name == ref.id for one in each.commands for text in one.examples]
        assert all(esc(f"/cs {example}") in str(shown_one.message.blocks) for example in examples)
        assert get_message(desk.press(buttons["help.all"], Ref("help", ""))) == whole


def test_every_command_can_be_opened_with_nothing_typed(desk: Desk):
    admin = desk.person(Role.ADMIN)
    for name in ("Acme", "Globex"):
        desk.add_account(name, owner_id=admin.id)
    slices = with_help(SLICES)
    open_it = next(each.handle for each in slices[0].buttons if each.action == "help.open")
    for command in (command for each in slices for command in each.commands):
        explained = desk.do(slices[0].commands[0].handle, command.name)
        assert f'["help","{command.name}",{{}}]' in str(get_message(explained).blocks)
        replies = desk.press(open_it, Ref("help", command.name), person=admin)
        assert any(isinstance(each, Whisper | OpenForm) for each in replies)


def test_a_button_for_what_is_no_more_says_so(desk: Desk):
    open_it = next(each.handle for each in help_slice(list_slices).buttons if each.action == "help.open")
    with pytest.raises(StaleError):
        desk.press(open_it, Ref("help", "gone"))


def test_what_was_typed_is_escaped_and_cut(desk: Desk, ask: Handler):
    text = desk.say(ask, "<!channel>" + "x" * 5000)
    assert "<!channel>" not in text
    assert "x" * 50 not in text
