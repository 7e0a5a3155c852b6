"""The Home tab: what needs the person, their accounts, and what a newcomer sees."""

from __future__ import annotations

from commands.home import show_home
from commands.slice import Home
from tests.commands.conftest import Desk


def text_of(desk: Desk) -> str:
    """Everything the page says."""
    (reply,) = show_home(desk.call(""), desk.tx)
    assert isinstance(reply, Home)
    return str(reply.blocks)


def test_a_newcomer_sees_what_to_do_first(desk: Desk):
    text = text_of(desk)
    assert "no open alert is yours" in text
    assert "milepost import accounts FILE" in text or "No account is like that" in text


def test_ones_own_accounts_are_there_and_others_are_not(desk: Desk):
    person = desk.call("").person
    desk.add_account("Acme", owner_id=person.id)
    desk.add_account("Strangers", owner_id=None)
    text = text_of(desk)
    assert "Acme" in text
    assert "Strangers" not in text
