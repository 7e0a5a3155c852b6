"""`/cs setup`: settings stored, told, audited; for leads only; no channel by default."""

from __future__ import annotations

import pytest
from sqlmodel import select

from commands.people.setup import setup, submit
from rules.errors import NotAllowedError, UserError
from rules.records import Role
from storage.audit import AuditRow
from storage.people.workspaces import get_workspace
from tests.commands.conftest import Desk, get_form, initial_values


@pytest.fixture
def bare(desk: Desk) -> Desk:
    """A workspace whose team channel nobody has chosen yet; calls are a lead's."""
    get_workspace(desk.tx).team_channel_id = ""
    return desk


def test_a_channel_is_set_and_the_change_told_and_audited(bare: Desk):
    text = bare.say(setup, "<#C0000042|success>", person=bare.person(Role.LEAD))
    assert get_workspace(bare.tx).team_channel_id == "C0000042"
    assert "Changed the setup: alerts go to: the owner of each account → <#C0000042>" in text
    audit = bare.tx.session.exec(select(AuditRow)).one()
    assert (audit.verb, audit.before, audit.after) == (
        "workspace.changed",
        {"team_channel_id": ""},
        {"team_channel_id": "C0000042"},
    )


def test_without_arguments_the_form_shows_the_present_values_and_no_channel(bare: Desk):
    lead = bare.person(Role.LEAD)
    shown = initial_values(get_form(bare.do(setup, person=lead)))
    assert shown == {"team_channel_id": None, "zone": "UTC", "currency": "EUR"}
    bare.do(setup, "<#C0000042>", person=lead)
    assert initial_values(get_form(bare.do(setup, person=lead)))["team_channel_id"] == "C0000042"


def test_the_form_stores_zone_and_currency(bare: Desk):
    lead = bare.person(Role.ADMIN)
    values = {"team_channel_id": None, "zone": "Asia/Shanghai", "currency": "cny"}
    text = bare.say(submit, values=values, person=lead)
    row = get_workspace(bare.tx)
    assert (row.zone, row.currency, row.team_channel_id) == ("Asia/Shanghai", "CNY", "")
    assert "time zone: UTC → Asia/Shanghai · currency: EUR → CNY" in text
    assert "Nothing was changed" in bare.say(submit, values=values, person=lead)


@pytest.mark.parametrize(
    ("field", "wrong"),
    [("zone", "Mars/Olympus"), ("zone", ""), ("currency", "euros!"), ("currency", ""), ("team_channel_id", "D0000001")],
)
def test_the_form_names_the_field_at_fault(bare: Desk, field: str, wrong: str):
    values = {"team_channel_id": "C0000042", "zone": "UTC", "currency": "EUR", field: wrong}
    with pytest.raises(UserError) as refused:
        bare.do(submit, values=values, person=bare.person(Role.LEAD))
    assert refused.value.field == field
    assert get_workspace(bare.tx).team_channel_id == ""


def test_a_channel_by_plain_name_is_refused_in_words(bare: Desk):
    for text in ("#success", "general", "<#C0000042> please"):
        with pytest.raises(UserError, match="Name the channel"):
            bare.do(setup, text, person=bare.person(Role.LEAD))


def test_only_leads_and_admins_set_up(bare: Desk):
    for role in (Role.VIEWER, Role.CSM):
        for handle, more in ((setup, {}), (setup, {"text": "<#C1>"}), (submit, {"values": {}})):
            with pytest.raises(NotAllowedError):
                bare.do(handle, person=bare.person(role), **more)
