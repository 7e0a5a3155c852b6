"""`/cs setup`: settings stored, told, audited, taken back; for leads only; no channel by default."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from commands.blocks.journeys import START
from commands.people.first_steps import OPEN_SETUP, START_JOURNEY, first_steps_blocks, render_welcome, start_journey
from commands.people.places import COUNTRY_MENU, ZONE_MENU, choose_countries, choose_zones
from commands.people.setup import open_form, render_greeting, setup, submit
from commands.people.undoing import UNDO, undo
from commands.slice import Options, Ref
from rules.errors import NotAllowedError, StaleError, UserError
from rules.records import Role
from storage.audit import AuditRow
from storage.delivery.outbox import OutboxRow
from storage.errors import NotFoundError
from storage.people.workspaces import get_workspace
from storage.success.journeys import JourneyRow
from tests.commands.conftest import Desk, find_ref, get_form, get_message, initial_values, shown
from words.reader import Reader

READER = Reader("en-US", "UTC")
ALL: dict[str, Any] = {
    "team_channel_id": "C0000042",
    "lead_id": "U0000002",
    "country": "DE",
    "zone": "Asia/Shanghai",
    "work_from": "08:00",
    "work_until": "16:30",
    "digest_at": "08:45",
    "weekly_on": "2",
    "currency": "cny",
    "locale": "zh-CN",
    "is_hiding_amounts": "hidden",
}


@pytest.fixture
def bare(desk: Desk) -> Desk:
    """A workspace whose team channel nobody has chosen yet; calls are a lead's."""
    get_workspace(desk.tx).team_channel_id = ""
    return desk


def test_a_channel_is_set_and_the_change_told_and_audited(bare: Desk):
    text = bare.say(setup, "<#C0000042|success>", person=bare.person(Role.LEAD))
    assert get_workspace(bare.tx).team_channel_id == "C0000042"
    assert "Changed the setup:\nalerts go to: the owner of each account → <#C0000042>" in text
    audit = bare.tx.session.exec(select(AuditRow)).one()
    assert (audit.verb, audit.before, audit.after) == (
        "workspace.changed",
        {"team_channel_id": ""},
        {"team_channel_id": "C0000042"},
    )


def test_without_arguments_the_form_shows_the_present_values_and_no_channel(bare: Desk):
    lead = bare.person(Role.LEAD)
    found = initial_values(get_form(bare.do(open_form, person=lead)))
    assert found == {
        "team_channel_id": None,
        "lead_id": None,
        "country": "none",
        "zone": "UTC",
        "work_from": "09:00",
        "work_until": "17:30",
        "digest_at": "auto",
        "weekly_on": "0",
        "currency": "EUR",
        "locale": "en-US",
        "is_hiding_amounts": "shown",
    }
    bare.do(setup, "<#C0000042>", person=lead)
    assert initial_values(get_form(bare.do(open_form, person=lead)))["team_channel_id"] == "C0000042"


def test_the_form_stores_everything_and_tells_each_change_on_a_line(bare: Desk):
    lead, bo = bare.person(Role.ADMIN), bare.add_member("U0000002", Role.CSM, "Bo")
    text = bare.say(submit, values=ALL, person=lead)
    row = get_workspace(bare.tx)
    found = {name: getattr(row, name) for name in ALL}
    assert found == ALL | {"lead_id": bo.id, "weekly_on": 2, "currency": "CNY", "is_hiding_amounts": True}
    lines = text.splitlines()
    for line in (
        "alerts go to: the owner of each account → <#C0000042>",
        "lead: – → <@U0000002>",
        "public holidays: only weekends → Germany",
        "time zone: UTC → Asia/Shanghai",
        "digests come: ten minutes after the working day begins → 08:45",
        "weekly digests come on: Monday → Wednesday",
        "currency: EUR → CNY",
        "language in channels: English → 简体中文",
        "amounts in channels: shown → hidden",
    ):
        assert line in lines
    assert "`/cs team <@U0000002> lead`" in text  # a CSM made the lead has no rights yet
    assert "Nothing was changed" in bare.say(submit, values=ALL, person=lead)
    assert initial_values(get_form(bare.do(open_form, person=lead))) == ALL | {"currency": "CNY"}


def test_what_a_form_does_not_have_stays(bare: Desk):
    bare.say(submit, values=ALL, person=bare.person(Role.LEAD))
    bare.say(submit, values={"currency": "USD"}, person=bare.person(Role.LEAD))
    row = get_workspace(bare.tx)
    assert (row.currency, row.zone, row.country, row.is_hiding_amounts) == ("USD", "Asia/Shanghai", "DE", True)


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("zone", "Mars/Olympus"),
        ("zone", ""),
        ("currency", "euros!"),
        ("currency", ""),
        ("team_channel_id", "D0000001"),
        ("country", "Atlantis"),
        ("work_from", "25:00"),
        ("work_until", "07:00"),
        ("digest_at", "noon"),
    ],
)
def test_the_form_names_the_field_at_fault(bare: Desk, field: str, wrong: str):
    with pytest.raises(UserError) as refused:
        bare.do(submit, values=ALL | {field: wrong}, person=bare.person(Role.LEAD))
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


# ---------------------------------------------------------------- undo, and two at once


def test_a_change_is_taken_back_once_within_ten_minutes(bare: Desk):
    lead = bare.person(Role.LEAD)
    ref = find_ref(bare.do(submit, values=ALL, person=lead), UNDO)
    late = replace(bare, now=bare.now + timedelta(minutes=11))
    with pytest.raises(StaleError, match="10 minutes"):
        late.press(undo, ref, person=lead)
    with pytest.raises(NotAllowedError):
        bare.press(undo, ref, person=bare.person(Role.CSM, "U0000003", "Cy"))
    assert "as it was before" in get_message(bare.press(undo, ref, person=lead)).text
    row = get_workspace(bare.tx)
    assert (row.team_channel_id, row.zone, row.currency, row.lead_id) == ("", "UTC", "EUR", None)
    with pytest.raises(StaleError, match="already undone"):
        bare.press(undo, ref, person=lead)


def test_what_somebody_changed_since_is_not_undone(bare: Desk):
    lead = bare.person(Role.LEAD)
    ref = find_ref(bare.do(setup, "<#C0000042>", person=lead), UNDO)
    bare.do(submit, values={"currency": "USD"}, person=lead)
    other = find_ref(bare.do(setup, "<#C0000043>", person=lead), UNDO)
    with pytest.raises(StaleError, match="depends on it"):
        bare.press(undo, ref, person=lead)
    bare.press(undo, other, person=lead)
    bare.press(undo, ref, person=lead)
    row = get_workspace(bare.tx)
    assert (row.team_channel_id, row.currency) == ("", "USD")


def test_there_is_nothing_to_undo_about_something_unknown(bare: Desk):
    with pytest.raises(NotFoundError):
        bare.press(undo, Ref("change", "nothing"), person=bare.person(Role.LEAD))


def test_a_form_opened_before_somebody_elses_change_is_refused(bare: Desk):
    lead = bare.person(Role.LEAD)
    ref = get_form(bare.do(open_form, person=lead)).ref
    bare.do(submit, values={"currency": "USD"}, person=lead)
    with pytest.raises(StaleError, match="while this form was open"):
        bare.do(submit, values=ALL, ref=ref, person=lead)
    assert get_workspace(bare.tx).currency == "USD"


# ---------------------------------------------------------------- channels and the first steps


def test_a_new_channel_is_greeted_once_and_told_who_chose_it(bare: Desk):
    lead = bare.person(Role.LEAD)
    ref = find_ref(bare.do(setup, "<#C0000042>", person=lead), UNDO)
    row = bare.tx.session.exec(select(OutboxRow)).one()
    assert (row.kind, row.channel) == ("setup.greeting", "C0000042")
    said = render_greeting(row.reference, bare.tx, READER)
    assert said is not None
    assert said.text == "<@U0000001> chose this channel for Milepost."
    bare.do(submit, values={"currency": "USD"}, person=lead)
    assert len(bare.tx.session.exec(select(OutboxRow)).all()) == 1
    bare.press(undo, ref, person=lead)
    assert render_greeting(row.reference, bare.tx, READER) is None


def test_where_says_what_is_posted_where_and_who_chose_it(bare: Desk):
    reader = bare.person(Role.VIEWER, "U0000009", "Vi")
    assert "no team channel is set" in bare.say(setup, "where", person=reader)
    bare.do(setup, "<#C0000042>", person=bare.person(Role.LEAD))
    bare.add_account("Acme", channel_id="C0ACME")
    text = bare.say(setup, "where", person=reader)
    assert "Alerts: <#C0000042> (chosen by <@U0000001>, 10 Mar 2026 09:00)" in text
    assert "1 account has a channel of its own" in text
    assert "on Monday at 09:10" in text


def test_the_three_steps_are_ticked_off_one_by_one(bare: Desk):
    lead = bare.person(Role.LEAD)

    def count_open() -> int:
        return sum("accessory" in block for block in first_steps_blocks(READER, bare.tx))

    assert count_open() == 3
    assert "Next: Bring your accounts" in bare.say(setup, "<#C0000042>", person=lead)
    assert count_open() == 2
    account = bare.add_account("Acme")
    form, steps = bare.do(setup, person=lead)
    assert "1 account is here." in shown(steps)
    assert count_open() == 1
    text = bare.say(submit, values={"currency": "USD"}, person=lead)
    assert "Next: Start a journey" in text
    assert render_welcome(bare.tx.workspace_id, bare.tx, READER) is not None
    journey = JourneyRow(
        workspace_id=bare.tx.workspace_id,
        account_id=account.id,
        template_key="saas",
        name="SaaS",
        started_on=bare.now.date(),
        stage_key="adoption",
        stage_since=bare.now.date(),
        created_at=bare.now,
    )
    bare.tx.session.add(journey)
    bare.tx.session.flush()
    assert first_steps_blocks(READER, bare.tx) == []
    assert get_form(bare.do(setup, person=lead)).form == get_form([form]).form
    assert render_welcome(bare.tx.workspace_id, bare.tx, READER) is None
    assert "Next:" not in bare.say(submit, values={"currency": "CNY"}, person=lead)


def test_the_welcome_has_a_button_for_each_step_and_is_for_its_own_workspace(bare: Desk):
    said = render_welcome(bare.tx.workspace_id, bare.tx, READER)
    assert said is not None
    actions = [block["accessory"]["action_id"] for block in said.blocks if "accessory" in block]
    assert actions == [OPEN_SETUP, "accounts.add", START_JOURNEY]
    assert render_welcome("another", bare.tx, READER) is None


def test_a_journey_needs_an_account_first(bare: Desk):
    assert "add one first" in bare.say(start_journey, ref=Ref("setup", ""))
    names = [bare.add_account(name).name for name in ("Acme", "Globex")]
    (_question, *lines) = get_message(bare.do(start_journey, ref=Ref("setup", ""))).blocks
    assert [line["text"]["text"] for line in lines] == [f"*{name}*" for name in names]
    assert {line["accessory"]["action_id"] for line in lines} == {START}


# ---------------------------------------------------------------- menus that load


def options(desk: Desk, handle: Any, text: str, kind: str = "setup") -> list[tuple[str, str]]:
    (reply,) = desk.do(handle, text, ref=Ref(kind, ""))
    assert isinstance(reply, Options)
    return list(reply.options)


@pytest.mark.parametrize(
    ("typed", "first"),
    [("berl", "Europe/Berlin"), ("beijing", "Asia/Shanghai"), ("香港", "Asia/Hong_Kong"), ("US/Pac", None)],
)
def test_a_zone_is_offered_by_its_city_with_the_time_there(desk: Desk, typed: str, first: str | None):
    found = options(desk, choose_zones, typed)
    if first is None:
        assert found
    else:
        assert found[0][0] == first
    assert options(desk, choose_zones, "berlin")[0] == ("Europe/Berlin", "Europe/Berlin · 10:00")


def test_with_nothing_typed_the_teams_own_zones_come_first(desk: Desk):
    desk.add_member("U0000002").zone = "Asia/Tokyo"
    desk.tx.session.flush()
    found = [zone for zone, _label in options(desk, choose_zones, "")]
    assert found[:2] == ["UTC", "Asia/Tokyo"]
    assert len(found) == 100
    assert options(desk, choose_zones, "", kind="member")[0][0] == "none"


@pytest.mark.parametrize(("typed", "first"), [("germ", "DE"), ("de", "DE"), ("德国", "DE"), ("uk", "GB")])
def test_a_country_is_offered_by_name_or_code(desk: Desk, typed: str, first: str):
    assert options(desk, choose_countries, typed)[0][0] == first


def test_no_country_means_only_weekends(desk: Desk):
    assert options(desk, choose_countries, "")[0][0] == "none"
    assert options(desk, choose_countries, "xyzzy") == []
    assert {ZONE_MENU, COUNTRY_MENU} == {"people.zone", "people.country"}
