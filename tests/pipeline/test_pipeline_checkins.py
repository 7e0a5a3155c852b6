"""Offering check-ins over rows made by hand: who is told what, when, once; reminders, stand-ins, owners that change."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import event
from sqlmodel import select

from pipeline import checkins
from rules.records import AccountState, Actor, OfferState, Tier
from rules.success.checkins import OFFERS_PER_DAY, AddCheckin, CheckinDraft, ReopenOffer, decide_checkin, decide_put_off
from storage.accounts.accounts import get_account
from storage.db import Database, Tx
from storage.delivery.outbox import OutboxRow
from storage.people.members import get_member
from storage.people.workspaces import get_workspace
from storage.renewals.contracts import ContractRow
from storage.success.checkin_writes import apply_checkins, to_offer
from storage.success.checkins import CheckinOfferRow, find_open_offer, list_open_offers, to_batch
from storage.success.journeys import JourneyRow
from tests.alert_rows import TODAY, add_account, add_member, list_outbox
from tests.conftest import NOW

DAY = timedelta(days=1)
OLD = date(2024, 1, 1)
ADA = "m-U0000ADA1"


def at(day: date, hour: int = 9) -> datetime:
    return NOW.replace(hour=hour) + (day - TODAY)


def offers(database: Database, workspace_id: str) -> list[CheckinOfferRow]:
    with database.reading(workspace_id) as tx:
        return sorted(tx.session.exec(select(CheckinOfferRow)).all(), key=lambda row: (row.offered_on, row.account_id))


def open_accounts(database: Database, workspace_id: str, member_id: str | None = None) -> list[str]:
    with database.reading(workspace_id) as tx:
        return sorted(account.id for _offer, account in list_open_offers(tx, member_id))


def posts(database: Database, workspace_id: str) -> list[OutboxRow]:
    return [row for row in list_outbox(database, workspace_id) if not row.is_update]


@pytest.fixture
def team(database: Database, workspace_id: str) -> str:
    """Ada owns Acme, Bo owns Globex; both are long due. Returns the workspace's id."""
    with database.writing(workspace_id) as tx:
        add_member(tx, "U0000ADA1")
        add_member(tx, "U00000BO1")
        add_account(tx, "acme", owner_id=ADA, tier=Tier.A, started_on=OLD)
        add_account(tx, "globex", owner_id="m-U00000BO1", tier=Tier.B, started_on=OLD)
    return workspace_id


def test_each_person_is_told_in_one_message(database: Database, team: str):
    with database.writing(team) as tx:
        add_account(tx, "initech", owner_id=ADA, tier=Tier.C, started_on=OLD)
        add_account(tx, "pooled", owner_id=ADA, tier=Tier.D, started_on=OLD)
        add_account(tx, "lost", owner_id=ADA, tier=Tier.A, started_on=OLD, state=AccountState.LOST)
    report = checkins.run(database, team, NOW)
    assert report.counts == {"accounts": 3, "withdrawn": 0, "offered": 3, "reminded": 0, "messages": 2}
    assert open_accounts(database, team, ADA) == ["acme", "initech"]
    assert [(row.kind, row.channel, row.reference) for row in posts(database, team)] == [
        ("checkin_offers", "U00000BO1", to_batch("m-U00000BO1", TODAY)),
        ("checkin_offers", "U0000ADA1", to_batch(ADA, TODAY)),
    ]


def test_a_second_run_the_same_day_changes_nothing(database: Database, team: str):
    checkins.run(database, team, NOW)
    before = [row.model_dump() for row in offers(database, team)]
    for hour in (9, 12, 17):
        report = checkins.run(database, team, at(TODAY, hour))
        assert report.counts == {"accounts": 2, "withdrawn": 0, "offered": 0, "reminded": 0, "messages": 0}
    assert [row.model_dump() for row in offers(database, team)] == before
    assert len(list_outbox(database, team)) == 2


@pytest.mark.parametrize(
    ("zone", "now", "is_told"),
    [
        ("UTC", at(TODAY, 8), False),
        ("UTC", at(TODAY, 18), False),
        ("America/New_York", NOW, False),
        ("Asia/Singapore", at(TODAY, 2), True),
        ("UTC", at(TODAY + 4 * DAY), False),  # Saturday
    ],
)
def test_only_in_working_hours_of_their_own(
    database: Database, workspace_id: str, zone: str, now: datetime, *, is_told: bool
):
    with database.writing(workspace_id) as tx:
        add_member(tx, "U0000ADA1", zone=zone)
        add_account(tx, "acme", owner_id=ADA, tier=Tier.A, started_on=OLD)
    checkins.run(database, workspace_id, now)
    assert bool(offers(database, workspace_id)) is is_told


def test_a_large_import_is_spread_over_days_the_valuable_first(database: Database, workspace_id: str):
    with database.writing(workspace_id) as tx:
        add_member(tx, "U0000ADA1")
        for number in range(12):
            tier = Tier.A if number >= 10 else Tier.B
            add_account(tx, f"account{number:02}", owner_id=ADA, tier=tier, started_on=OLD)
    checkins.run(database, workspace_id, NOW)
    first = open_accounts(database, workspace_id)
    assert len(first) == OFFERS_PER_DAY
    assert {"account10", "account11"} <= set(first)
    for later, total in ((1, 10), (2, 12), (3, 12)):
        checkins.run(database, workspace_id, at(TODAY + later * DAY))
        assert len(open_accounts(database, workspace_id)) == total


def test_one_reminder_after_two_working_days_and_none_after_that(database: Database, team: str):
    for later in range(9):
        checkins.run(database, team, at(TODAY + later * DAY))
    mine = [row for row in posts(database, team) if row.channel == "U0000ADA1"]
    assert [row.reference for row in mine] == [to_batch(ADA, TODAY), to_batch(ADA, TODAY + 2 * DAY)]
    assert [row.reminded_on for row in offers(database, team)] == [TODAY + 2 * DAY] * 2


def test_an_account_of_nobody_goes_to_the_lead_else_is_told_of(database: Database, team: str):
    with database.writing(team) as tx:
        add_account(tx, "orphan", tier=Tier.A, started_on=OLD)
    report = checkins.run(database, team, NOW)
    assert "no lead: 1." in report.lines[0]
    assert open_accounts(database, team) == ["acme", "globex"]
    with database.writing(team) as tx:
        get_workspace(tx).lead_id = ADA
    assert checkins.run(database, team, at(TODAY + DAY)).lines == ()
    assert open_accounts(database, team, ADA) == ["acme", "orphan"]


def test_a_stand_in_is_asked_while_the_owner_is_away(database: Database, team: str):
    with database.writing(team) as tx:
        ada = get_member(tx, ADA)
        ada.away_from, ada.away_until, ada.cover_id = TODAY + DAY, TODAY + 2 * DAY, "m-U00000BO1"
    checkins.run(database, team, NOW)
    assert open_accounts(database, team, ADA) == ["acme"]
    checkins.run(database, team, at(TODAY + DAY))
    assert open_accounts(database, team, "m-U00000BO1") == ["acme", "globex"]
    checkins.run(database, team, at(TODAY + 3 * DAY))
    assert open_accounts(database, team, ADA) == ["acme"]
    assert [row.state for row in offers(database, team) if row.account_id == "acme"] == [
        OfferState.SUPERSEDED,
        OfferState.SUPERSEDED,
        OfferState.OFFERED,
    ]


def test_a_cover_in_another_zone_begins_and_ends_on_mornings_of_their_own(database: Database, workspace_id: str):
    away, bo = TODAY + DAY, "m-U00000BO1"
    with database.writing(workspace_id) as tx:
        ada = add_member(tx, "U0000ADA1", zone="America/New_York")
        add_member(tx, "U00000BO1", zone="Asia/Shanghai")
        ada.away_from, ada.away_until, ada.cover_id = away, away, bo
        add_account(tx, "acme", owner_id=ADA, tier=Tier.A, started_on=OLD)
    asked = []
    for day in (away - DAY, away, away + DAY):
        checkins.run(database, workspace_id, at(day, 1))  # 09:00 in Shanghai, the evening before in New York
        asked.append((open_accounts(database, workspace_id, ADA), open_accounts(database, workspace_id, bo)))
    assert asked == [([], []), ([], ["acme"]), ([], [])]
    checkins.run(database, workspace_id, at(away + DAY, 13))
    assert open_accounts(database, workspace_id, ADA) == ["acme"]


def test_an_offer_follows_its_account_and_goes_with_it(database: Database, team: str):
    checkins.run(database, team, NOW)
    with database.writing(team) as tx:
        get_account(tx, "acme").owner_id = "m-U00000BO1"
        get_account(tx, "globex").archived_at = NOW
    report = checkins.run(database, team, at(TODAY + DAY))
    assert report.counts["withdrawn"] == 2
    assert open_accounts(database, team) == ["acme"]
    assert open_accounts(database, team, "m-U00000BO1") == ["acme"]
    updates = [row.reference for row in list_outbox(database, team) if row.is_update]
    assert set(updates) <= {to_batch(ADA, TODAY), to_batch("m-U00000BO1", TODAY)}


class Overtaken(Database):
    """A database in which somebody is quicker than the first who wants to write."""

    quicker: Callable[[Tx], object] | None = None

    @contextmanager
    def writing(self, workspace_id: str, *, wait_seconds: float = 10) -> Iterator[Tx]:
        quicker, self.quicker = self.quicker, None
        if quicker is not None:
            with super().writing(workspace_id) as tx:
                quicker(tx)
        with super().writing(workspace_id, wait_seconds=wait_seconds) as tx:
            yield tx


def test_who_checks_in_while_the_job_reads_is_left_in_peace(database: Database, team: str):
    checkins.run(database, team, NOW)
    with database.writing(team) as tx:
        get_account(tx, "acme").owner_id = "m-U00000BO1"

    def check_in(tx: Tx) -> None:
        offer = find_open_offer(tx, "acme")
        assert offer is not None
        whole = AddCheckin(CheckinDraft("acme", ADA, TODAY, 4), TODAY, offer=to_offer(offer))
        apply_checkins(tx, decide_checkin(whole), Actor("member", ADA), NOW)

    overtaken = Overtaken(database.url)
    overtaken.quicker = check_in
    assert checkins.run(overtaken, team, at(TODAY, 10)).counts["withdrawn"] == 0
    overtaken.close()
    assert open_accounts(database, team) == ["globex"]


def test_what_is_open_again_while_the_job_reads_is_not_offered_twice(database: Database, team: str):
    checkins.run(database, team, NOW)
    actor = Actor("member", ADA)
    with database.writing(team) as tx:
        acme = find_open_offer(tx, "acme")
        assert acme is not None
        apply_checkins(tx, decide_put_off(to_offer(acme), TODAY + DAY, ADA, TODAY), actor, NOW)
    overtaken = Overtaken(database.url)
    overtaken.quicker = lambda tx: apply_checkins(tx, [ReopenOffer(acme.id, acme.version)], actor, NOW)
    assert checkins.run(overtaken, team, at(TODAY + DAY)).counts["offered"] == 0
    overtaken.close()
    assert open_accounts(database, team) == ["acme", "globex"]


def test_done_and_put_off_ones_come_back_in_their_rhythm(database: Database, team: str):
    checkins.run(database, team, NOW)
    actor = Actor("member", ADA)
    with database.writing(team) as tx:
        acme, globex = find_open_offer(tx, "acme"), find_open_offer(tx, "globex")
        assert acme is not None
        assert globex is not None
        whole = AddCheckin(CheckinDraft("acme", ADA, TODAY, 4), TODAY, offer=to_offer(acme))
        apply_checkins(tx, decide_checkin(whole), actor, NOW)
        apply_checkins(tx, decide_put_off(to_offer(globex), TODAY + 6 * DAY, ADA, TODAY), actor, NOW)
    offered_on: dict[str, list[date]] = {"acme": [], "globex": []}
    for later in range(1, 16):
        checkins.run(database, team, at(TODAY + later * DAY))
    for row in offers(database, team):
        offered_on[row.account_id].append(row.offered_on)
    assert offered_on == {"acme": [TODAY, TODAY + 14 * DAY], "globex": [TODAY, TODAY + 6 * DAY]}


def test_closer_before_a_decision_date_and_weekly_while_onboarded(database: Database, workspace_id: str):
    """Twenty days after the last check-in a B account is due only where something asks for more."""
    with database.writing(workspace_id) as tx:
        add_member(tx, "U0000ADA1")
        for name in ("calm", "deciding", "onboarding"):
            add_account(tx, name, owner_id=ADA, tier=Tier.B, started_on=OLD)
            whole = AddCheckin(CheckinDraft(name, ADA, TODAY - 20 * DAY, 4), TODAY)
            apply_checkins(tx, decide_checkin(whole), Actor("member", ADA), NOW)
        end = TODAY + 60 * DAY
        contract = ContractRow(
            workspace_id=workspace_id, external_id="K1", account_id="deciding", start_on=OLD, end_on=end
        )
        journey = JourneyRow(
            workspace_id=workspace_id,
            account_id="onboarding",
            template_key="standard",
            name="Standard",
            started_on=OLD,
            stage_key="onboarding",
            stage_since=OLD,
            created_at=NOW,
        )
        tx.session.add_all([contract, journey])
    checkins.run(database, workspace_id, NOW)
    assert open_accounts(database, workspace_id) == ["deciding", "onboarding"]


def test_nothing_to_do_in_an_empty_workspace(database: Database, workspace_id: str):
    counts = {"accounts": 0, "withdrawn": 0, "offered": 0, "reminded": 0, "messages": 0}
    assert checkins.run(database, workspace_id, NOW).counts == counts


@contextmanager
def counting(database: Database) -> Iterator[list[str]]:
    """The statements sent meanwhile, but for what begins and ends transactions."""
    seen: list[str] = []

    def look(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        seen.append(statement)

    engines = {database._writer, database._reader}
    for engine in engines:
        event.listen(engine, "before_cursor_execute", look)
    yield seen
    for engine in engines:
        event.remove(engine, "before_cursor_execute", look)


def test_reading_takes_as_many_queries_for_a_hundred_accounts_as_for_two(database: Database, team: str):
    checkins.run(database, team, NOW)
    with counting(database) as few:
        checkins.run(database, team, at(TODAY, 10))
    with database.writing(team) as tx:
        for number in range(100):
            add_account(tx, f"more{number}", owner_id=ADA, tier=Tier.B, started_on=OLD)
    with counting(database) as many:
        checkins.run(database, team, at(TODAY, 11))
    assert len(many) == len(few)
