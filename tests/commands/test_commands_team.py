"""`/cs team`: roles, zones, hours, absence and cover stored, told, audited, taken back; accounts given away."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event
from sqlmodel import col, select

from commands.accounts.account_forms import read_account_form
from commands.accounts.accounts import add
from commands.people.covering import COVER, render_cover
from commands.people.owners import open_give, show_unmatched, submit_give
from commands.people.team import open_edit, open_own, submit, team, turn_page
from commands.people.team_list import EDIT, GIVE, NEXT
from commands.people.undoing import UNDO, undo
from commands.slice import Person, Ref, Reply
from commands.typed import get_person
from rules.errors import NotAllowedError, StaleError, UserError
from rules.records import DigestWish, Role
from storage.accounts.accounts import AccountRow
from storage.audit import AuditRow
from storage.delivery.outbox import OutboxRow
from storage.errors import NotFoundError
from storage.owners import list_unmatched
from storage.people.members import MemberRow
from storage.people.team import find_stand_ins
from storage.people.workspaces import get_workspace
from tests.commands.conftest import Desk, find_ref, get_form, get_message, initial_values, shown
from words.reader import Reader

READER = Reader("en-US", "UTC")
ADA, BO, CY = "<@U0000001|ada>", "<@U0000002|bo>", "<@U0000003>"


@pytest.fixture
def bo(desk: Desk) -> MemberRow:
    """A CSM beside the one who acts."""
    return desk.add_member("U0000002", Role.CSM, "Bo")


@pytest.fixture
def lead(desk: Desk) -> Person:
    return desk.person(Role.LEAD, "U0000009", "Lee")


def import_account(desk: Desk, name: str, email: str = "", owner_id: str | None = None) -> AccountRow:
    """An account as an import leaves it."""
    row = desk.add_account(name)
    row.owner_email, row.owner_id = email, owner_id
    desk.tx.session.flush()
    return row


def find_button(replies: list[Reply] | Any, action: str) -> Ref:
    """What the button of `action` beside a line carries."""
    for block in get_message(replies).blocks:
        if block.get("accessory", {}).get("action_id") == action:
            return Ref.parse(block["accessory"]["value"])
    raise AssertionError(f"no button {action}")


# ---------------------------------------------------------------- the list


def test_the_list_has_role_zone_time_accounts_and_absence(desk: Desk, bo: MemberRow, lead: Person):
    bo.own_zone = "Asia/Shanghai"
    bo.away_from, bo.away_until = date(2026, 3, 9), date(2026, 3, 12)
    bo.cover_id = desk.person(Role.CSM).id
    import_account(desk, "Acme", owner_id=bo.id)
    text = desk.say(team, person=lead)
    assert "Team: 3 people" in text
    assert "*Bo* · CSM · 1 account · 17:00 Asia/Shanghai\naway until 12 Mar, Ada covers" in text
    assert "*Ada* · CSM · 0 accounts · 09:00 UTC" in text


def test_the_list_turns_pages_in_place(desk: Desk, lead: Person):
    for number in range(20):
        desk.add_member(f"U1{number:06}", Role.CSM, f"Person {number:02}")
    first = desk.do(team, person=lead)
    assert "page 1 of 3" in shown(first[0])
    second = desk.press(turn_page, find_ref(first, NEXT), person=lead)
    assert "Person 09" in shown(second[0])
    assert "Person 08" not in shown(second[0])
    assert "page 3 of 3" in shown(desk.press(turn_page, Ref("page", "", {"page": "99"}), person=lead)[0])


def test_everybody_edits_themselves_and_a_lead_everybody(desk: Desk, bo: MemberRow, lead: Person):
    def count(person: Person) -> int:
        blocks = get_message(desk.do(team, person=person)).blocks
        return sum(block.get("accessory", {}).get("action_id") == EDIT for block in blocks)

    ada = desk.person(Role.CSM)
    assert (count(ada), count(lead), count(desk.person(Role.VIEWER, "U0000008", "Vi"))) == (1, 4 - 1, 0)
    with pytest.raises(NotAllowedError):
        desk.press(open_edit, Ref("member", bo.id), person=ada)
    with pytest.raises(NotAllowedError):
        desk.do(open_own, person=desk.person(Role.VIEWER, "U0000008", "Vi"))


def test_the_statements_of_the_list_do_not_grow_with_the_team(desk: Desk, lead: Person):
    def count() -> int:
        desk.tx.session.expire_all()
        sent: list[object] = []

        def note(*arguments: object) -> None:
            sent.append(arguments[2])

        event.listen(Engine, "before_cursor_execute", note)
        team(call, desk.tx)
        event.remove(Engine, "before_cursor_execute", note)
        return len(sent)

    call = desk.call(person=lead)
    alone = count()
    for number in range(9):
        row = desk.add_member(f"U2{number:06}", Role.CSM, f"Zoe {number}")
        row.cover_id, row.away_from, row.away_until = lead.id, date(2026, 3, 1), date(2026, 4, 1)
        import_account(desk, f"Account {number}", owner_id=row.id)
    assert 0 < count() <= alone + 1  # the names of the covers


# ---------------------------------------------------------------- roles


def test_a_lead_gives_a_role_and_takes_it_back(desk: Desk, bo: MemberRow, lead: Person):
    replies = desk.do(team, f"{BO} lead", person=lead)
    assert "Changed *Bo*:\nrole: CSM → lead" in shown(replies[0])
    assert bo.role is Role.LEAD
    line = desk.tx.session.exec(select(AuditRow).where(AuditRow.verb == "member.changed")).one()
    assert (line.object_id, line.before, line.after) == (bo.id, {"role": "csm"}, {"role": "lead"})
    desk.press(undo, find_ref(replies, UNDO), person=lead)
    assert bo.role is Role.CSM


def test_who_may_change_which_role(desk: Desk, bo: MemberRow, lead: Person):
    with pytest.raises(NotAllowedError):
        desk.do(team, f"{BO} lead", person=desk.person(Role.CSM))
    with pytest.raises(NotAllowedError, match="Only an admin"):
        desk.do(team, f"{BO} admin", person=lead)
    admin = desk.person(Role.ADMIN, "U0000007", "Max")
    desk.do(team, f"{BO} admin", person=admin)
    assert bo.role is Role.ADMIN
    with pytest.raises(NotAllowedError, match="Only an admin"):
        desk.do(team, f"{BO} csm", person=lead)


def test_slacks_admins_stay_admins(desk: Desk, bo: MemberRow):
    admin = desk.person(Role.ADMIN, "U0000007", "Max")
    bo.role, bo.is_slack_admin = Role.ADMIN, True
    with pytest.raises(UserError, match="Change it in Slack"):
        desk.do(team, f"{BO} csm", person=admin)
    assert "role" not in initial_values(get_form(desk.do(team, BO, person=admin)))


def test_the_last_one_who_leads_cannot_step_down(desk: Desk, bo: MemberRow, lead: Person):
    with pytest.raises(UserError, match="Nobody else is a lead"):
        desk.do(team, "<@U0000009> csm", person=lead)
    bo.role = Role.LEAD
    desk.tx.session.flush()
    assert "role: lead → CSM" in desk.say(team, "<@U0000009> csm", person=lead)


def test_a_role_needs_a_person_and_an_unknown_word_is_told(desk: Desk, lead: Person):
    with pytest.raises(UserError, match="Whose role"):
        desk.do(team, "lead", person=lead)
    with pytest.raises(UserError, match="what “boss” means"):
        desk.do(team, f"{BO} boss", person=lead)
    with pytest.raises(NotFoundError, match="not met"):
        desk.do(team, CY, person=lead)


# ---------------------------------------------------------------- absence


def cover_news(desk: Desk) -> list[tuple[str, str]]:
    """(who, what) of all that was told to those who cover, as it reads now; "" where it is not sent any more."""
    rows = desk.tx.session.exec(select(OutboxRow).where(OutboxRow.kind == COVER).order_by(col(OutboxRow.seq)))
    found = [(row.channel, render_cover(row.reference, desk.tx, READER)) for row in rows]
    return [(channel, said.text if said else "") for channel, said in found]


def test_another_who_covers_and_undo_are_told_to_both(desk: Desk, bo: MemberRow):
    ada = desk.person(Role.CSM)
    cy = desk.person(Role.LEAD, "U0000007", "Cy")
    desk.do(team, f"away until 12 Mar cover {BO}", person=ada)
    replies = desk.do(team, f"away until 12 Mar cover <@{cy.slack_id}>", person=ada)
    span = "You look after Ada's accounts from 10 Mar 2026 to 12 Mar 2026."
    assert set(cover_news(desk)[1:]) == {(cy.slack_id, span), (bo.slack_id, "You no longer look after Ada's accounts.")}
    desk.press(undo, find_ref(replies, UNDO), person=ada)
    assert set(cover_news(desk)[3:]) == {(bo.slack_id, span), (cy.slack_id, "You no longer look after Ada's accounts.")}


def test_a_change_of_working_time_tells_no_cover(desk: Desk, bo: MemberRow):
    ada = desk.person(Role.CSM)
    desk.do(team, f"away until 12 Mar cover {BO}", person=ada)
    desk.do(team, "zone Berlin", person=ada)
    assert len(cover_news(desk)) == 1


def test_somebody_away_is_covered_and_the_cover_is_told(desk: Desk, bo: MemberRow):
    ada = desk.person(Role.CSM)
    replies = desk.do(team, f"away until 12 Mar cover {BO}", person=ada)
    text = shown(replies[0])
    assert "away from: – → 10 Mar" in text
    assert "away until: – → 12 Mar" in text
    assert "cover: – → Bo" in text
    assert find_stand_ins(desk.tx, date(2026, 3, 12)) == {ada.id: bo.id}
    row = desk.tx.session.exec(select(OutboxRow)).one()
    assert (row.kind, row.channel) == (COVER, "U0000002")
    said = render_cover(row.reference, desk.tx, READER)
    assert said is not None
    assert said.text == "You look after Ada's accounts from 10 Mar 2026 to 12 Mar 2026."
    desk.do(team, f"away until 13 Mar cover {BO}", person=ada)
    assert render_cover(row.reference, desk.tx, READER) is None
    assert cover_news(desk)[1:] == [("U0000002", "You look after Ada's accounts from 10 Mar 2026 to 13 Mar 2026.")]
    assert "away until: 13 Mar → –" in desk.say(team, "back", person=ada)
    assert cover_news(desk)[2:] == [("U0000002", "You no longer look after Ada's accounts.")]
    assert render_cover(row.reference, desk.tx, READER) is None
    assert find_stand_ins(desk.tx, date(2026, 3, 12)) == {}
    assert "Nothing was changed" in desk.say(team, "back", person=ada)


def test_a_lead_writes_an_absence_to_come(desk: Desk, bo: MemberRow, lead: Person):
    ada = desk.add_member()
    desk.do(team, f"away {ADA} from 1 Apr until 14 Apr covered by {BO}", person=lead)
    assert (ada.away_from, ada.away_until, ada.cover_id) == (date(2026, 4, 1), date(2026, 4, 14), bo.id)
    assert "away from 1 Apr until 14 Apr, Bo covers" in desk.say(team, person=lead)
    with pytest.raises(NotAllowedError):
        desk.do(team, f"back {ADA}", person=desk.person(Role.CSM, "U0000002", "Bo"))


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ("away until 9 Mar 2026", "away_until"),
        ("away until some day", "away_until"),
        ("away until 12 Mar 2029", "away_until"),
        (f"away until 12 Mar cover {ADA}", "cover"),
        ("away from 20 Mar until 12 Mar 2026", "away_until"),
    ],
)
def test_an_absence_that_cannot_be_is_refused(desk: Desk, typed: str, field: str):
    ada = desk.person(Role.CSM)
    with pytest.raises(UserError) as refused:
        desk.do(team, typed, person=ada)
    assert refused.value.field == field


def test_a_viewer_owns_no_account_but_may_stay_the_owner(desk: Desk):
    lead, viewer = desk.person(Role.LEAD), get_person(desk.tx, "U0000044")
    viewer.role = Role.VIEWER
    desk.tx.session.flush()
    with pytest.raises(UserError, match="is a viewer and cannot work on accounts") as refused:
        desk.do(add, "Hooli <@U0000044>", person=lead)
    assert refused.value.field == "owner"
    account = desk.add_account("Globex", owner_id=lead.id)
    ref, values = Ref("account", account.id), {"name": "Globex", "state": "customer", "owner": "U0000044"}
    with pytest.raises(UserError, match="is a viewer and cannot work on accounts"):
        read_account_form(desk.call(ref=ref, values=values, person=lead), desk.tx)
    account.owner_id = viewer.id
    desk.tx.session.flush()
    assert read_account_form(desk.call(ref=ref, values=values, person=lead), desk.tx).owner_id == viewer.id


def test_a_viewer_cannot_cover(desk: Desk):
    desk.add_member("U0000003", Role.VIEWER, "Vi")
    with pytest.raises(UserError, match="Vi is a viewer"):
        desk.do(team, f"away until 12 Mar cover {CY}", person=desk.person(Role.CSM))


def test_away_without_a_day_opens_the_form(desk: Desk):
    assert get_form(desk.do(team, "away", person=desk.person(Role.CSM))).form == "team.member"


# ---------------------------------------------------------------- zone and hours


@pytest.mark.parametrize(
    ("typed", "zone"),
    [("zone Berlin", "Europe/Berlin"), ("zone US/Eastern", "US/Eastern"), ("zone 上海", "Asia/Shanghai")],
)
def test_a_zone_is_chosen_by_city_or_name(desk: Desk, typed: str, zone: str):
    ada = desk.person(Role.CSM)
    assert f"time zone: as in Slack → {zone}" in desk.say(team, typed, person=ada)
    assert "→ as in Slack" in desk.say(team, "zone slack", person=ada)


def test_an_unknown_zone_has_near_ones_to_choose(desk: Desk):
    with pytest.raises(UserError) as refused:
        desk.do(team, "zone Berlingen", person=desk.person(Role.CSM))
    assert ("Europe/Berlin", "Europe/Berlin") in refused.value.nearest
    assert refused.value.values["zone"] == "Berlingen"


FILLED: dict[str, Any] = {
    "zone": "Asia/Shanghai",
    "country": "CN",
    "work_from": "10:00",
    "work_until": "19:00",
    "digest_wish": "weekly",
    "digest_at": "10:30",
    "away_from": "2026-04-01",
    "away_until": "2026-04-03",
    "cover": "U0000002",
}


def test_the_form_stores_ones_own_working_time_and_absence(desk: Desk, bo: MemberRow):
    ada = desk.person(Role.CSM)
    view = get_form(desk.do(open_own, person=ada))
    assert initial_values(view) == {
        "zone": "none",
        "country": "none",
        "work_from": "team",
        "work_until": "team",
        "digest_wish": "daily",
        "digest_at": "auto",
        "away_from": None,
        "away_until": None,
        "cover": None,
    }
    text = desk.say(submit, values=FILLED, ref=view.ref, person=ada)
    for line in ("public holidays: as the team → China", "digest: each working day → once a week", "cover: – → Bo"):
        assert line in text.splitlines()
    row = desk.add_member()
    assert (row.own_zone, row.country, row.work_from, row.work_until) == ("Asia/Shanghai", "CN", "10:00", "19:00")
    assert (row.digest_at, row.digest_wish, row.cover_id) == ("10:30", DigestWish.WEEKLY, bo.id)
    again = get_form(desk.do(open_own, person=ada))
    assert initial_values(again) == FILLED
    assert "Nothing was changed" in desk.say(submit, values=FILLED, ref=again.ref, person=ada)


def test_a_lead_changes_role_and_hours_of_anybody_at_once(desk: Desk, bo: MemberRow, lead: Person):
    view = get_form(desk.do(team, BO, person=lead))
    values = initial_values(view) | {"role": "lead", "work_from": "07:15"}
    replies = desk.do(submit, values=values, ref=view.ref, person=lead)
    assert (bo.role, bo.work_from) == (Role.LEAD, "07:15")
    desk.press(undo, find_ref(replies, UNDO), person=lead)
    assert (bo.role, bo.work_from) == (Role.CSM, "")


@pytest.mark.parametrize(
    ("field", "wrong"),
    [("work_until", "09:00"), ("zone", "Mars"), ("country", "Atlantis"), ("digest_at", "x"), ("away_until", "never")],
)
def test_the_form_names_the_field_at_fault(desk: Desk, bo: MemberRow, field: str, wrong: str):
    ada = desk.person(Role.CSM)
    with pytest.raises(UserError) as refused:
        desk.do(submit, values=FILLED | {field: wrong}, ref=Ref("member", ada.id), person=ada)
    assert refused.value.field == field
    assert bo.version == 1


def test_a_cover_without_days_is_asked_for_the_last_one(desk: Desk, bo: MemberRow):
    ada = desk.person(Role.CSM)
    values = FILLED | {"away_from": None, "away_until": None}
    with pytest.raises(UserError, match="Until when"):
        desk.do(submit, values=values, ref=Ref("member", ada.id), person=ada)
    assert bo.away_until is None


def test_a_form_opened_before_somebody_elses_change_is_refused(desk: Desk, bo: MemberRow, lead: Person):
    view = get_form(desk.do(team, BO, person=lead))
    desk.do(team, f"zone {BO} Tokyo", person=lead)
    with pytest.raises(StaleError, match="while this form was open"):
        desk.do(submit, values=initial_values(view) | {"role": "lead"}, ref=view.ref, person=lead)
    assert bo.role is Role.CSM


def test_a_role_in_a_form_is_checked_again(desk: Desk, bo: MemberRow):
    ada = desk.person(Role.CSM)
    with pytest.raises(NotAllowedError):
        desk.do(submit, values=FILLED | {"role": "admin"}, ref=Ref("member", ada.id), person=ada)
    assert bo.role is Role.CSM


# ---------------------------------------------------------------- accounts nobody owns


def test_unmatched_addresses_are_listed_and_given_away_and_taken_back(desk: Desk, bo: MemberRow, lead: Person):
    accounts = [import_account(desk, name, "Zoe@x.example") for name in ("Acme", "Globex")]
    other = import_account(desk, "Initech", "yan@x.example")
    assert "2 addresses of imported owners belong to nobody here: 3 accounts" in desk.say(team, person=lead)
    found = desk.do(team, "unmatched", person=lead)
    assert "zoe@x.example · 2 accounts" in shown(found[0])
    view = get_form(desk.press(open_give, find_button(found, GIVE), person=lead))
    done = desk.do(submit_give, values={"person": "U0000002"}, ref=view.ref, person=lead)
    assert "Bo looks after 2 accounts more: zoe@x.example" in shown(done[0])
    for row in (*accounts, other):
        desk.tx.session.refresh(row)
    assert [row.owner_id for row in (*accounts, other)] == [bo.id, bo.id, None]
    with pytest.raises(NotFoundError, match="have an owner by now"):
        desk.do(submit_give, values={"person": "U0000002"}, ref=view.ref, person=lead)
    desk.press(undo, find_ref(done, UNDO), person=lead)
    assert [(each.email, each.count) for each in list_unmatched(desk.tx)] == [
        ("zoe@x.example", 2),
        ("yan@x.example", 1),
    ]


def test_what_was_given_on_since_is_not_taken_back(desk: Desk, bo: MemberRow, lead: Person):
    account = import_account(desk, "Acme", "zoe@x.example")
    done = desk.do(submit_give, values={"person": "U0000002"}, ref=Ref("owners", "zoe@x.example"), person=lead)
    desk.tx.session.refresh(account)
    account.owner_id = lead.id
    desk.tx.session.flush()
    with pytest.raises(StaleError, match="depends on it"):
        desk.press(undo, find_ref(done, UNDO), person=lead)
    assert bo.id != account.owner_id


def test_who_left_is_named_with_the_accounts_left_behind(desk: Desk, bo: MemberRow, lead: Person):
    import_account(desk, "Acme", owner_id=bo.id)
    bo.is_active = False
    desk.tx.session.flush()
    replies = desk.do(team, person=lead)
    assert "Bo left: 1 account without an active owner" in shown(replies[0])
    ref = find_button(replies, GIVE)
    text = desk.say(submit_give, values={"person": "U0000009"}, ref=ref, person=lead)
    assert "Lee looks after 1 account more: Bo" in text
    assert "left:" not in desk.say(team, person=lead)


def test_only_leads_give_accounts_away_and_only_to_who_can_work(desk: Desk, bo: MemberRow, lead: Person):
    import_account(desk, "Acme", "zoe@x.example")
    ref = Ref("owners", "zoe@x.example")
    with pytest.raises(NotAllowedError):
        desk.press(open_give, ref, person=desk.person(Role.CSM))
    desk.add_member("U0000003", Role.VIEWER, "Vi")
    for person, match in (("U0000003", "viewer"), (None, "Choose a person")):
        with pytest.raises(UserError, match=match) as refused:
            desk.do(submit_give, values={"person": person}, ref=ref, person=lead)
        assert refused.value.field == "person"
    assert bo.id


def test_nothing_unmatched_is_told(desk: Desk):
    assert "Every imported account has an owner" in desk.say(show_unmatched)


def test_who_is_no_lead_any_more_takes_no_role_back(desk: Desk, bo: MemberRow, lead: Person):
    line = find_ref(desk.do(team, f"{BO} lead", person=lead), UNDO)
    desk.do(team, f"<@{lead.slack_id}> csm", person=lead)
    with pytest.raises(NotAllowedError):
        desk.press(undo, line, person=replace(lead, role=Role.CSM))
    assert bo.role is Role.LEAD


def test_a_lead_takes_back_no_role_an_admin_took_away(desk: Desk, bo: MemberRow, lead: Person):
    boss = desk.person(Role.ADMIN, "U0000008", "Di")
    desk.do(team, f"{BO} admin", person=boss)
    line = find_ref(desk.do(team, f"{BO} lead", person=boss), UNDO)
    with pytest.raises(NotAllowedError):
        desk.press(undo, line, person=lead)
    assert bo.role is Role.LEAD


def test_undo_of_a_person_ends_after_ten_minutes(desk: Desk, bo: MemberRow, lead: Person):
    ref = find_ref(desk.do(team, f"{BO} lead", person=lead), UNDO)
    later = replace(desk, now=desk.now + timedelta(minutes=11))
    with pytest.raises(StaleError, match="10 minutes"):
        later.press(undo, ref, person=lead)
    assert bo.role is Role.LEAD
    assert get_workspace(desk.tx).version == 1
