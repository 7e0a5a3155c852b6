"""Renewals and contracts in Slack: what is shown, what each form stores, what undo brings back, who was first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest
from sqlmodel import col, select

from commands.blocks.renewals import renewal_ref
from commands.renewals import contracts, outcomes, renewals, verdicts
from commands.renewals.renewal_card import render_renewal, renewal_blocks
from commands.renewals.renewal_list import NEXT, show_list, turn_page
from commands.renewals.renewal_messages import render_reply, render_root, render_summary
from commands.slice import Person, Ref, Reply
from pipeline import renewals as pipeline_renewals
from rules.errors import NotAllowedError, StaleError, UserError
from rules.records import AccountState, Actor, RenewalOutcome, RenewalVerdict, Role
from rules.renewals.contracts import ChangeContract
from storage.accounts.accounts import AccountRow, get_account
from storage.audit import find_change
from storage.delivery.outbox import OutboxRow
from storage.people.workspaces import get_workspace
from storage.renewals.contract_writes import apply_contracts
from storage.renewals.contracts import ContractRow, find_contract, get_contract, list_contracts
from storage.renewals.keeping import keep_renewals
from storage.renewals.leaving import page_leaving_ids, settle_leaving
from storage.renewals.readiness import list_prospects
from storage.renewals.reminders import Telling, apply_tellings, describe_seen
from storage.renewals.renewals import RenewalRow, get_renewal
from tests.commands.conftest import Desk, find_ref, get_form, get_message, initial_values
from words.reader import Reader

END = date(2026, 5, 31)
MINUTES, DAY = timedelta(minutes=1), timedelta(days=1)
READER = Reader("en-US", "UTC")


@dataclass
class Stage:
    """Acme's contract, its renewal with a thread, and its owner."""

    desk: Desk
    account: AccountRow
    owner: Person

    @property
    def row(self) -> RenewalRow:
        return self.desk.tx.session.exec(select(RenewalRow).where(RenewalRow.ends_on == END)).one()

    def outbox(self) -> list[tuple[str, bool]]:
        rows = self.desk.tx.session.exec(select(OutboxRow).order_by(col(OutboxRow.seq)))
        return [(row.kind, row.is_update) for row in rows]

    def mark_sent(self) -> None:
        for row in self.desk.tx.session.exec(select(OutboxRow)):
            row.state, row.slack_ts, row.posted_channel = "sent", "1.0", row.channel
        self.desk.tx.session.flush()

    def ref(self, **more: str) -> Ref:
        return Ref("contract", "K1", {"end": END.isoformat(), "version": str(self.row.version), **more})

    def judge(self, verdict: str = "at_risk", **more: Any) -> list[Reply]:
        more.setdefault("person", self.owner)
        values = {"verdict": verdict, "note": "they wait for the new budget"}
        return list(self.desk.do(verdicts.submit_verdict, ref=more.pop("ref", self.ref()), values=values, **more))

    def decide(
        self, outcome: str, *, person: Person | None = None, ref: Ref | None = None, **values: str
    ) -> list[Reply]:
        values = {"outcome": outcome, **values}
        return list(
            self.desk.do(outcomes.submit_outcome, ref=ref or self.ref(), values=values, person=person or self.owner)
        )


@pytest.fixture
def stage(desk: Desk) -> Stage:
    owner = desk.person()
    account = desk.add_account(owner_id=owner.id)
    add_contract(desk, account, "K1", date(2025, 6, 1), END)
    keep_renewals(desk.tx, [account.id], desk.now.date(), pipeline_renewals.ACTOR, desk.now)
    stage = Stage(desk, account, owner)
    seen = describe_seen(list_prospects(desk.tx, [stage.row], desk.now.date())[stage.row.id], desk.now.date())
    apply_tellings(desk.tx, [Telling(stage.row.id, END, seen, 90, is_said=True, channel="C0000001")], desk.now)
    stage.mark_sent()
    return stage


def add_contract(desk: Desk, account: AccountRow, id_: str, start: date, end: date | None, **more: Any) -> None:
    values = {"yearly_minor": 84_000_00, "currency": "EUR"} | more
    desk.tx.session.add(
        ContractRow(
            workspace_id=desk.tx.workspace_id,
            external_id=id_,
            account_id=account.id,
            start_on=start,
            end_on=end,
            **values,
        )
    )
    desk.tx.session.flush()


# ---------------------------------------------------------------- showing


def test_one_page_says_what_is_missing_with_a_button_for_each(stage: Stage):
    said = stage.desk.say(renewals.renewal, "acme", person=stage.owner)
    for words in ("ends 31 May", "€84k a year", "no sponsor", "no target agreed", "no verdict", "not in touch"):
        assert words in said
    assert "the figures say: too little is known" in said
    replies = stage.desk.do(renewals.renewal, "acme", person=stage.owner)
    assert find_ref(replies, outcomes.OUTCOME) == renewal_ref("K1", END)


def test_without_a_contract_the_page_says_what_to_do(desk: Desk):
    desk.add_account("Globex")
    assert "No contract of Globex is to be renewed" in desk.say(renewals.renewal, "globex")
    assert "has no contract yet" in desk.say(contracts.contract, "globex")


def test_the_list_has_dates_totals_by_currency_and_pages(stage: Stage):
    desk = stage.desk
    for number in range(12):
        account = desk.add_account(f"Customer {number:02}")
        add_contract(desk, account, f"L{number}", date(2025, 1, 1), date(2026, 4, 1), currency="USD")
        keep_renewals(desk.tx, [account.id], desk.now.date(), pipeline_renewals.ACTOR, desk.now)
    said = desk.say(show_list, "")
    assert "13 renewals to decide within 90 days" in said
    assert "In all: €84k + $1.01M a year" in said
    assert "*Customer 00*" in said
    assert "Acme" not in said
    page = find_ref(desk.do(show_list, ""), NEXT)
    assert "*Acme Corp* · ends 31 May · €84k · 4 things missing" in desk.say(turn_page, ref=page)
    assert "1 renewal to decide within 90 days" in desk.say(show_list, "mine", person=stage.owner)
    assert "0 renewals to decide within 30 days" in desk.say(show_list, "30 mine", person=stage.owner)
    assert "0 renewals whose decision date has passed" in desk.say(show_list, "overdue")
    with pytest.raises(UserError, match="soon"):
        desk.do(show_list, "soon")


def test_the_account_card_has_two_lines_where_a_decision_is_near(stage: Stage):
    today = stage.desk.now.date()
    [block] = renewal_blocks(READER, stage.desk.tx, stage.account, today)
    assert "No verdict yet" in block["text"]["text"]
    assert renewal_blocks(READER, stage.desk.tx, stage.account, today - timedelta(days=100)) != [block]
    assert renewal_blocks(READER, stage.desk.tx, stage.desk.add_account("Globex"), today) == []


# ---------------------------------------------------------------- verdicts


def test_a_verdict_is_stored_shown_beside_the_figures_and_taken_back(stage: Stage):
    replies = stage.judge("churns")
    row = stage.row
    assert (row.verdict, row.verdict_by, row.version) == (RenewalVerdict.CHURNS, stage.owner.id, 2)
    assert row.seen["missing"].keys() == {"sponsor", "target", "touch"}
    assert stage.outbox()[-1] == ("renewal", True)
    undo = find_ref(replies, verdicts.UNDO_VERDICT)
    stage.desk.press(verdicts.undo_verdict, undo, person=stage.owner)
    assert (stage.row.verdict, stage.row.verdict_note, stage.row.verdict_on) == (None, "", None)
    with pytest.raises(StaleError, match="already undone"):
        stage.desk.press(verdicts.undo_verdict, undo, person=stage.owner)


def test_a_verdict_against_the_figures_is_marked(stage: Stage):
    get_contract(stage.desk.tx, "K1").notice_received_on = date(2026, 3, 1)
    stage.judge("renews")
    root = render_root(stage.row.id, stage.desk.tx, READER)
    assert root is not None
    assert "they disagree: a lead should look" in str(root.blocks)


def test_a_second_form_is_told_who_was_first(stage: Stage):
    seen = stage.ref()
    stage.judge("renews")
    lead = stage.desk.person(Role.LEAD, "U0000002", "Lee")
    with pytest.raises(StaleError, match="Ada changed this renewal"):
        stage.judge("churns", ref=seen, person=lead)
    stage.decide("renewed")
    with pytest.raises(StaleError, match="Ada recorded “renewed” on 10 Mar 2026"):
        stage.decide("renewed", person=lead, ref=seen)


def test_only_the_owner_or_a_lead_decides(stage: Stage):
    other = stage.desk.person(Role.CSM, "U0000003", "Bo")
    with pytest.raises(NotAllowedError):
        stage.judge(person=other)
    with pytest.raises(NotAllowedError):
        stage.decide("renewed", person=other)
    with pytest.raises(NotAllowedError):
        stage.desk.do(outcomes.open_outcome, ref=stage.ref(), person=other)


# ---------------------------------------------------------------- outcomes


def test_an_expansion_writes_the_next_contract_and_one_summary(stage: Stage):
    replies = stage.decide("expanded", amount="€96k", new_end_on="2027-05-31", note="two more teams")
    row, following = stage.row, get_contract(stage.desk.tx, f"renewal-{stage.row.id}")
    assert (row.outcome, row.new_yearly_minor, row.new_end_on) == (
        RenewalOutcome.EXPANDED, 96_000_00, date(2027, 5, 31),
    )  # fmt: skip
    assert (following.start_on, following.end_on, following.yearly_minor) == (
        date(2026, 6, 1), date(2027, 5, 31), 96_000_00,
    )  # fmt: skip
    assert stage.outbox()[-2:] == [("renewal", True), ("renewal_outcome", False)]
    summary = render_summary(f"{row.id}:{row.version}", stage.desk.tx, READER)
    assert summary is not None
    assert "*Acme Corp* expanded · €84k → €96k a year (+€12k) · until 31 May 2027 · <@U0000001>" in summary.text
    assert find_ref(replies, outcomes.UNDO_OUTCOME).id == row.id


def test_the_contract_a_file_brings_takes_the_place_of_the_one_an_outcome_made(stage: Stage):
    undo = find_ref(stage.decide("expanded", amount="€96k"), outcomes.UNDO_OUTCOME)
    made, tx = f"renewal-{stage.row.id}", stage.desk.tx
    keep = partial(keep_renewals, tx, [stage.account.id], actor=pipeline_renewals.ACTOR, now=stage.desk.now)
    keep(today=date(2027, 3, 1))
    add_contract(stage.desk, stage.account, "K2", date(2026, 6, 15), date(2027, 6, 14), yearly_minor=97_000_00)
    assert keep(today=date(2027, 3, 1)) == {"superseded": 1, "moved": 1}
    assert keep(today=date(2027, 3, 1)) == {}
    assert [row.external_id for row in list_contracts(tx, [stage.account.id])[stage.account.id]] == ["K1", "K2"]
    following = tx.session.exec(select(RenewalRow).where(RenewalRow.contract_id == "K2")).one()
    assert (following.ends_on, following.yearly_minor) == (date(2027, 6, 14), 97_000_00)
    assert find_contract(tx, made) is None
    with pytest.raises(StaleError, match="depends on it"):
        stage.desk.press(outcomes.undo_outcome, undo, person=stage.owner)
    assert stage.row.outcome is RenewalOutcome.EXPANDED


def test_an_outcome_whose_next_contract_was_changed_since_is_not_taken_back(stage: Stage):
    undo = find_ref(stage.decide("renewed"), outcomes.UNDO_OUTCOME)
    edited = ChangeContract(f"renewal-{stage.row.id}", {"seats": 80})
    later = stage.desk.now + MINUTES
    apply_contracts(stage.desk.tx, [edited], Actor("member", "m9", "Bo"), later)
    with pytest.raises(StaleError, match="depends on it"):
        stage.desk.press(outcomes.undo_outcome, undo, person=stage.owner, now=later + MINUTES)


def test_undo_takes_all_of_an_outcome_back(stage: Stage):
    before = get_contract(stage.desk.tx, "K1").model_dump()
    replies = stage.decide("churned", reason="price", note="40 % cheaper elsewhere")
    assert get_account(stage.desk.tx, stage.account.id).state is AccountState.CUSTOMER
    reference = f"{stage.row.id}:{stage.row.version}"
    stage.mark_sent()
    undo = find_ref(replies, outcomes.UNDO_OUTCOME)
    stage.desk.press(outcomes.undo_outcome, undo, person=stage.owner, now=stage.desk.now + 9 * MINUTES)
    row = stage.row
    assert (row.outcome, row.reason, row.note, row.decided_by, row.figures) == (RenewalOutcome.OPEN, "", "", None, {})
    assert get_account(stage.desk.tx, stage.account.id).state is AccountState.CUSTOMER
    assert get_contract(stage.desk.tx, "K1").model_dump() == before
    gone = render_summary(reference, stage.desk.tx, READER)
    assert gone is not None
    assert "was taken back" in gone.text
    assert stage.outbox()[-1] == ("renewal_outcome", True)


def test_undo_of_a_renewal_removes_the_next_contract_and_ends_after_ten_minutes(stage: Stage):
    undo = find_ref(stage.decide("renewed"), outcomes.UNDO_OUTCOME)
    next_id = f"renewal-{stage.row.id}"
    assert find_contract(stage.desk.tx, next_id) is not None
    with pytest.raises(StaleError, match="10 minutes"):
        stage.desk.press(outcomes.undo_outcome, undo, person=stage.owner, now=stage.desk.now + 11 * MINUTES)
    stage.desk.press(outcomes.undo_outcome, undo, person=stage.owner)
    assert find_contract(stage.desk.tx, next_id) is None
    with pytest.raises(StaleError, match="already undone"):
        stage.desk.press(outcomes.undo_outcome, undo, person=stage.owner)


def test_a_loss_needs_a_reason_and_keeps_the_figures_of_the_day(stage: Stage):
    with pytest.raises(UserError) as refused:
        stage.decide("churned")
    assert refused.value.field == "reason"
    stage.decide("churned", reason="sponsor")
    row = stage.row
    assert (row.reason, row.new_yearly_minor) == ("sponsor", 0)
    assert (row.figures["has_sponsor"], row.figures["band"], row.figures["targets"]) == (False, "unknown", [])
    summary = render_summary(f"{row.id}:{row.version}", stage.desk.tx, READER)
    assert summary is not None
    assert "✕ *Acme Corp* churned · €84k → €0 a year (−€84k) · ends 31 May 2026" in summary.text
    assert "Why: the sponsor left or lost interest" in str(summary.blocks)
    assert "health unknown" in str(summary.blocks)


def leave(stage: Stage, day: date) -> dict[str, int]:
    """What the job does on that day."""
    tx = stage.desk.tx
    ids = page_leaving_ids(tx, day)
    return dict(settle_leaving(tx, ids, day, pipeline_renewals.ACTOR, stage.desk.now))


def state_of(stage: Stage) -> AccountState:
    return get_account(stage.desk.tx, stage.account.id).state


def test_who_leaves_is_a_customer_until_the_contract_ends_and_the_card_says_so(stage: Stage):
    replies = stage.decide("churned", reason="price")
    assert "They leave on 31 May 2026 and are looked after as before until then." in get_message(replies).text
    assert "leaves on 31 May" in str(renewal_blocks(READER, stage.desk.tx, stage.account, stage.desk.now.date()))
    assert "leaves on 31 May" in str(render_renewal(READER, stage.desk.tx, stage.account, stage.desk.now.date()))
    assert (leave(stage, END), state_of(stage)) == ({}, AccountState.CUSTOMER)
    assert (leave(stage, END + DAY), state_of(stage)) == ({"lost": 1}, AccountState.LOST)
    assert find_change(stage.desk.tx, "renewal.left", stage.row.id) is not None
    assert renewal_blocks(READER, stage.desk.tx, stage.account, END + DAY) == []
    get_account(stage.desk.tx, stage.account.id).state = AccountState.CUSTOMER
    assert (leave(stage, END + 2 * DAY), state_of(stage)) == ({}, AccountState.CUSTOMER)


def test_losing_one_of_two_products_keeps_the_customer(stage: Stage):
    add_contract(stage.desk, stage.account, "K2", date(2025, 9, 1), date(2026, 12, 31))
    stage.decide("churned", reason="not_needed")
    assert (leave(stage, END + DAY), state_of(stage)) == ({"kept": 1}, AccountState.CUSTOMER)
    assert leave(stage, END + DAY) == {}


def test_another_product_that_ends_before_keeps_no_customer(stage: Stage):
    noticed = {"notice_received_on": date(2026, 2, 1), "term_months": 1}
    add_contract(stage.desk, stage.account, "K2", date(2025, 9, 1), None, **noticed)
    stage.decide("churned", reason="not_needed")
    assert (leave(stage, END + DAY), state_of(stage)) == ({"lost": 1}, AccountState.LOST)


def test_an_early_end_is_when_they_leave_and_undo_brings_the_contracts_own_back(stage: Stage):
    before, early = stage.row.decides_on, date(2026, 4, 30)
    undo = find_ref(stage.decide("churned", reason="unpaid", new_end_on="2026-04-30"), outcomes.UNDO_OUTCOME)
    tx = stage.desk.tx
    row = get_renewal(tx, undo.id)
    assert (row.ends_on, get_contract(tx, "K1").end_on) == (early, early)
    assert len(tx.session.exec(select(RenewalRow)).all()) == 1
    assert (leave(stage, early), leave(stage, early + DAY)) == ({}, {"lost": 1})
    stage.desk.press(outcomes.undo_outcome, undo, person=stage.owner)
    assert (stage.row.decides_on, get_contract(tx, "K1").end_on) == (before, END)
    assert (stage.row.left_on, state_of(stage)) == (None, AccountState.CUSTOMER)


def test_an_effective_end_in_the_past_loses_at_once_and_undo_brings_back(stage: Stage):
    undo = find_ref(stage.decide("churned", reason="closed", new_end_on="2026-02-15"), outcomes.UNDO_OUTCOME)
    assert state_of(stage) is AccountState.LOST
    stage.desk.press(outcomes.undo_outcome, undo, person=stage.owner)
    assert (state_of(stage), stage.row.outcome) == (AccountState.CUSTOMER, RenewalOutcome.OPEN)


def test_an_effective_end_that_a_dropped_renewal_has_is_refused(stage: Stage):
    dropped = stage.row.model_dump() | {"id": "r-old", "ends_on": date(2026, 4, 30)}
    stage.desk.tx.session.add(RenewalRow(**dropped | {"outcome": RenewalOutcome.CANCELLED}))
    stage.desk.tx.session.flush()
    with pytest.raises(UserError, match="once to end") as refused:
        stage.decide("churned", reason="closed", new_end_on="2026-04-30")
    assert refused.value.field == "new_end_on"


def test_the_form_offers_the_planned_end_and_reads_amounts_as_typed(stage: Stage):
    view = get_form(stage.desk.do(outcomes.open_outcome, ref=stage.ref(), person=stage.owner))
    assert initial_values(view)["new_end_on"] == "2027-05-31"
    with pytest.raises(UserError) as refused:
        stage.decide("expanded", amount="much more")
    assert refused.value.field == "amount"
    stage.decide("contracted", amount="60,000", reason="budget")
    assert stage.row.new_yearly_minor == 60_000_00


def test_a_far_renewal_may_be_decided_early(desk: Desk):
    owner = desk.person()
    account = desk.add_account(owner_id=owner.id)
    add_contract(desk, account, "K9", date(2025, 12, 1), date(2026, 11, 30))
    ref = renewal_ref("K9", date(2026, 11, 30))
    form = get_form(desk.do(outcomes.open_outcome, ref=ref, person=owner))
    assert desk.tx.session.exec(select(RenewalRow)).all() == []
    desk.do(outcomes.submit_outcome, ref=form.ref, values={"outcome": "renewed"}, person=owner)
    assert desk.tx.session.exec(select(RenewalRow)).one().outcome is RenewalOutcome.RENEWED


# ---------------------------------------------------------------- messages


def test_the_head_of_a_thread_hides_amounts_where_the_team_wants_so(stage: Stage):
    shown = render_root(stage.row.id, stage.desk.tx, READER)
    get_workspace(stage.desk.tx).is_hiding_amounts = True
    hidden = render_root(stage.row.id, stage.desk.tx, READER)
    assert shown is not None
    assert hidden is not None
    assert "€84k" in str(shown.blocks)
    assert "€84k" not in str(hidden.blocks)


def test_a_reminder_is_not_sent_for_a_date_that_moved_or_a_renewal_that_is_decided(stage: Stage):
    reference = f"{stage.row.id}:{END.isoformat()}:30"
    said = render_reply(reference, stage.desk.tx, READER)
    assert said is not None
    assert said.text == "*Acme Corp*: 82 days to the decision on 31 May 2026 · <@U0000001>"
    assert render_reply(f"{stage.row.id}:2026-06-30:30", stage.desk.tx, READER) is None
    assert render_reply("nonsense", stage.desk.tx, READER) is None
    stage.decide("renewed")
    assert render_reply(reference, stage.desk.tx, READER) is None


# ---------------------------------------------------------------- contracts

FORM = {
    "start_on": "2026-02-01",
    "end_on": "2027-01-31",
    "notice_by": "2026-06-01",
    "amount": "€120k",
    "seats": "60",
    "auto_renew": "no",
    "term": "12",
    "number": "K7",
}


def test_a_contract_is_added_with_its_renewal_and_taken_back(desk: Desk):
    owner = desk.person()
    account = desk.add_account(owner_id=owner.id)
    replies = desk.do(contracts.submit, ref=Ref("account", account.id), values=FORM, person=owner)
    row = get_contract(desk.tx, "K7")
    assert (row.yearly_minor, row.currency, row.seats, row.end_on) == (120_000_00, "EUR", 60, date(2027, 1, 31))
    assert desk.tx.session.exec(select(RenewalRow)).one().decides_on == date(2026, 6, 1)
    assert "1 Feb 2026 – 31 Jan 2027 · €120k a year · 60 seats" in desk.say(contracts.contract, "acme")
    undo = find_ref(replies, contracts.UNDO_CONTRACT)
    desk.press(contracts.undo, undo, person=owner)
    assert find_contract(desk.tx, "K7") is None
    assert desk.tx.session.exec(select(RenewalRow)).one().outcome is RenewalOutcome.CANCELLED
    with pytest.raises(StaleError):
        desk.press(contracts.undo, undo, person=owner)


def test_a_change_moves_the_renewal_and_undo_moves_it_back(stage: Stage):
    desk = stage.desk
    view = get_form(desk.do(contracts.open_edit, ref=Ref("contract", "K1"), person=stage.owner))
    values = initial_values(view)
    assert (values["amount"], values["end_on"], values["auto_renew"]) == ("84000 EUR", "2026-05-31", "no")
    changed = values | {"notice_received_on": "2026-03-02", "amount": "90k"}
    replies = desk.do(contracts.submit, ref=view.ref, values=changed, person=stage.owner)
    assert (stage.row.decides_on, stage.row.yearly_minor) == (date(2026, 3, 2), 90_000_00)
    desk.press(contracts.undo, find_ref(replies, contracts.UNDO_CONTRACT), person=stage.owner)
    assert (stage.row.decides_on, stage.row.yearly_minor) == (END, 84_000_00)
    assert get_contract(desk.tx, "K1").notice_received_on is None


def test_two_forms_of_one_contract_the_second_is_told(stage: Stage):
    desk = stage.desk
    view = get_form(desk.do(contracts.open_edit, ref=Ref("contract", "K1"), person=stage.owner))
    values = initial_values(view)
    desk.do(contracts.submit, ref=view.ref, values=values | {"amount": "90k"}, person=stage.owner)
    lead = desk.person(Role.LEAD, "U0000002", "Lee")
    with pytest.raises(StaleError, match="Ada changed this contract"):
        desk.do(contracts.submit, ref=view.ref, values=values | {"amount": "70k"}, person=lead)
    assert get_contract(desk.tx, "K1").yearly_minor == 90_000_00


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"start_on": ""}, "start_on"),
        ({"end_on": "2026-01-01"}, "end_on"),
        ({"notice_by": "2027-03-01"}, "notice_by"),
        ({"notice_received_on": "2026-04-01"}, "notice_received_on"),
        ({"amount": "a lot"}, "amount"),
        ({"amount": "-5"}, "amount"),
        ({"seats": "0"}, "seats"),
        ({"term": "0"}, "term"),
        ({"start_on": "1900-01-01"}, "start_on"),
        ({"number": "K" * 61}, "number"),
    ],
)
def test_a_contract_that_cannot_be_names_its_field(desk: Desk, change: dict[str, str], field: str):
    account = desk.add_account()
    with pytest.raises(UserError) as refused:
        desk.do(contracts.submit, ref=Ref("account", account.id), values=FORM | change)
    assert refused.value.field == field
