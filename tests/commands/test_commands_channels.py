"""Who reads a channel, in words: on the account's card, in its form, in the set-up and for admins."""

from __future__ import annotations

import pytest

from commands.accounts.account_edits import edit
from commands.accounts.accounts import show, submit
from commands.delivery.admin import admin
from commands.people.setup import setup
from rules.delivery.channels import Sharing
from rules.records import Role
from storage.accounts.accounts import AccountRow
from storage.people.workspaces import get_workspace
from storage.success.checkin_writes import find_summary_channel
from tests.channel_rows import know_channels
from tests.commands.conftest import Desk, get_form, initial_values, shown

OWN, TEAM = "C0ACME00001", "C0000001"
SHARED_WORDS = "Another organisation reads this channel"
UNKNOWN_WORDS = "I am finding out who reads this channel"


@pytest.fixture
def acme(desk: Desk) -> AccountRow:
    return desk.add_account("Acme", owner_id=desk.person().id, channel_id=OWN)


def hint(desk: Desk) -> str:
    """What stands below the channel in the form."""
    blocks = get_form(desk.do(edit, "acme")).blocks
    field = next(block for block in blocks if block["block_id"] == "channel")
    return str(field.get("hint", {}).get("text", ""))


@pytest.mark.usefixtures("acme")
def test_a_channel_of_our_own_is_nothing_to_speak_of(desk: Desk):
    know_channels(desk.tx, OWN)
    assert hint(desk) == ""
    assert f"<#{OWN}>" not in desk.say(show, "acme")


@pytest.mark.usefixtures("acme")
def test_card_and_form_say_that_others_read_and_where_words_go(desk: Desk):
    know_channels(desk.tx, OWN, sharing=Sharing.SHARED)
    card = desk.say(show, "acme")
    assert f"<#{OWN}> · {SHARED_WORDS}: what is said about the account goes to the team's channel." in card
    assert hint(desk) == f"{SHARED_WORDS}: what is said about the account goes to the team's channel."


@pytest.mark.usefixtures("acme")
def test_without_a_team_channel_of_our_own_it_goes_to_the_owner(desk: Desk):
    know_channels(desk.tx, OWN, TEAM, sharing=Sharing.SHARED)
    assert "goes to its owner by direct message" in desk.say(show, "acme")
    assert "goes to its owner by direct message" in hint(desk)


@pytest.mark.usefixtures("acme")
def test_what_slack_does_not_tell_is_said_with_its_reason(desk: Desk):
    assert UNKNOWN_WORDS in desk.say(show, "acme")
    assert UNKNOWN_WORDS in hint(desk)
    know_channels(desk.tx, OWN, sharing=Sharing.UNKNOWN, error="missing_<scope>")
    assert "Slack does not tell who reads this channel (missing_&lt;scope&gt;)" in desk.say(show, "acme")
    assert "(missing_<scope>)" in hint(desk)


def test_without_a_channel_there_is_nothing_to_say(desk: Desk):
    desk.add_account("Acme")
    assert hint(desk) == ""
    assert "reads this channel" not in desk.say(show, "acme")


def test_who_sets_a_shared_channel_is_told_at_once(desk: Desk):
    desk.add_account("Acme", owner_id=desk.person().id)
    know_channels(desk.tx, OWN, sharing=Sharing.SHARED)
    view = get_form(desk.do(edit, "acme"))
    values = {name: value or "" for name, value in initial_values(view).items()} | {"channel": OWN}
    assert SHARED_WORDS in shown(desk.do(submit, ref=view.ref, values=values)[0])


def test_setup_where_counts_what_is_not_used(desk: Desk):
    for number in range(4):
        desk.add_account(f"A{number}", channel_id=f"C0ACME0000{number}")
    know_channels(desk.tx, "C0ACME00000")
    know_channels(desk.tx, "C0ACME00001", sharing=Sharing.SHARED)
    know_channels(desk.tx, "C0ACME00002", sharing=Sharing.UNKNOWN, error="channel_not_found")
    text = desk.say(setup, "where")
    assert "🔒 1 channel of an account is read by another organisation" in text
    assert "❔ Who reads 2 channels of accounts is not known (channel_not_found)" in text
    text = desk.say(admin, person=desk.person(Role.ADMIN))
    assert "🔒 1 channel of an account" in text
    assert "❔ Who reads 2 channels" in text


def test_a_team_channel_that_others_read_is_told_to_who_asks_and_who_chooses_it(desk: Desk):
    know_channels(desk.tx, TEAM, "C0OTHER0001", sharing=Sharing.SHARED)
    warning = "⚠️ Another organisation reads <#{}>: alerts go to the owner of each account"
    assert warning.format(TEAM) in desk.say(setup, "where")
    assert "Red accounts nobody took" not in desk.say(setup, "where")
    assert warning.format(TEAM) in desk.say(admin, person=desk.person(Role.ADMIN))
    chosen = desk.say(setup, "<#C0OTHER0001>", person=desk.person(Role.LEAD))
    assert warning.format("C0OTHER0001") in chosen
    assert "I say hello there now" not in chosen


def test_check_ins_are_told_where_only_we_read(desk: Desk, acme: AccountRow):
    assert find_summary_channel(desk.tx, acme) == TEAM
    know_channels(desk.tx, OWN)
    assert find_summary_channel(desk.tx, acme) == OWN
    know_channels(desk.tx, OWN, sharing=Sharing.SHARED)
    assert find_summary_channel(desk.tx, acme) == TEAM
    get_workspace(desk.tx).team_channel_id = ""
    assert find_summary_channel(desk.tx, acme) == ""
    acme.channel_id = ""
    assert find_summary_channel(desk.tx, acme) == ""
