"""Journeys by their rules: dates on working days in order, milestones moved, stages left, nothing lost silently."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.calendar import count_working_days, is_working_day
from rules.errors import UserError
from rules.records import Lane, MilestoneState
from rules.success.journey_walk import Fate, decide_advance, decide_start, list_open
from rules.success.journeys import (
    STANDSTILL_DAYS,
    Act,
    ChangedError,
    Doer,
    JourneyFacts,
    MilestoneDraft,
    MilestoneFacts,
    Pace,
    SettledError,
    StageFacts,
)
from rules.success.milestones import (
    decide_add,
    decide_done,
    decide_edit,
    decide_move,
    decide_remove,
    decide_reopen,
    decide_skip,
)
from rules.success.templates import CountsFrom, MilestoneTemplate, StageTemplate, Template, plan_journey
from storage.library import list_templates

TODAY = date(2026, 3, 10)
DOER = Doer("m1", datetime(2026, 3, 10, 9, tzinfo=UTC), TODAY, "DE")
COUNTRIES = st.sampled_from(["", "DE", "US", "CN"])
DAYS = st.dates(date(2025, 1, 1), date(2028, 12, 31))
STAGES = (StageFacts("begin", "Begin", 30), StageFacts("middle", "Middle", 60), StageFacts("end", "End", None))


def make(*milestones: MilestoneFacts, stage: str = "begin") -> JourneyFacts:
    present = next(each for each in STAGES if each.key == stage)
    return JourneyFacts(
        "j1", stage, present.name, TODAY - timedelta(days=10), present.planned_days, milestones, STAGES, "a1", "Walk"
    )


def at(days: int, name: str = "One", **more: object) -> MilestoneFacts:
    facts = MilestoneFacts(name.lower(), "begin", name, TODAY + timedelta(days=days))
    return replace(facts, **more)  # type: ignore[arg-type]


def attempt(decide: Callable[[], Act]) -> tuple[Act | None, str | None]:
    """What is decided, or the field at fault."""
    try:
        return decide(), None
    except UserError as refused:
        return None, refused.field


@st.composite
def journeys(draw: st.DrawFn) -> JourneyFacts:
    """A journey whose open milestones are on working days of Germany."""
    offsets = draw(st.lists(st.integers(-60, 200), min_size=1, max_size=8))
    days = [TODAY + timedelta(days=offset) for offset in offsets]
    days = [day for day in days if is_working_day(day, "DE")] or [TODAY]
    states = st.sampled_from([MilestoneState.OPEN, MilestoneState.OPEN, MilestoneState.DONE])
    return make(
        *(
            MilestoneFacts(
                f"m{place}", "begin", f"Step {place}", day, is_required=draw(st.booleans()), state=draw(states)
            )
            for place, day in enumerate(days)
        )
    )


# ---------------------------------------------------------------- plans


@settings(deadline=None)  # the first look at a country's holidays takes long
@given(st.sampled_from(list_templates()), DAYS, COUNTRIES, st.sampled_from(["en", "zh_Hans", "zh_Hant"]), st.data())
def test_every_date_of_a_plan_is_a_working_day_and_stages_keep_their_order(
    template: Template, begin: date, country: str, language: str, data: st.DataObject
):
    stage = data.draw(st.sampled_from(["", *(each.key for each in template.stages)]))
    plan = plan_journey(template, begin, language, country, stage)
    days = [each.due_on for each in plan.milestones]
    assert all(is_working_day(day, country) for day in [*days, plan.started_on, *(s.begins_on for s in plan.stages)])
    assert [each.begins_on for each in plan.stages] == sorted(each.begins_on for each in plan.stages)
    assert min(days) >= plan.started_on >= begin
    assert plan.stage_key == (stage or template.stages[0].key)
    keys = [each.key for each in template.stages]
    passed = set(keys[: keys.index(plan.stage_key)])
    wanted = [
        each.key for each_stage in template.stages for each in each_stage.milestones if each_stage.key not in passed
    ]
    assert [each.key for each in plan.milestones] == wanted


def test_days_count_from_the_stage_or_the_journey():
    names = {"en": "Name"}
    late = MilestoneTemplate("late", names, Lane.GOAL, 20, CountsFrom.JOURNEY, is_required=False)
    first = StageTemplate("first", names, 10, (MilestoneTemplate("soon", names, Lane.OURS, 2),))
    second = StageTemplate("second", names, None, (MilestoneTemplate("next", names, Lane.CUSTOMER, 2), late))
    template = Template("t", 3, names, names, (first, second))
    plan = plan_journey(template, date(2026, 3, 9))
    assert {each.key: each.due_on for each in plan.milestones} == {
        "soon": date(2026, 3, 11),
        "next": date(2026, 3, 23),  # the 21st is a Saturday
        "late": date(2026, 3, 30),  # the 29th is a Sunday
    }
    assert [each.begins_on for each in plan.stages] == [date(2026, 3, 9), date(2026, 3, 19)]
    assert (plan.template_version, plan.milestones[2].is_required) == (3, False)


@pytest.mark.parametrize("days", [-3 * 366 - 7, 372])
def test_a_journey_begins_within_reason(days: int):
    plan = plan_journey(list_templates()[0], TODAY + timedelta(days=days))
    with pytest.raises(UserError) as refused:
        decide_start("a1", plan, DOER)
    assert refused.value.field == "started_on"


def test_a_new_journey_closes_the_one_under_way():
    plan = plan_journey(list_templates()[0], TODAY)
    assert len(decide_start("a1", plan, DOER)) == 1
    closed, started = decide_start("a1", plan, DOER, make())
    assert closed.edits[0].values == {"closed_at": DOER.now}  # type: ignore[union-attr]
    assert started.replaces == "j1"  # type: ignore[union-attr]


# ---------------------------------------------------------------- milestones


@given(journeys(), st.integers(-20, 200), st.data())
def test_moving_keeps_working_days_and_the_order_of_what_moves(walk: JourneyFacts, days: int, data: st.DataObject):
    open_ones = [each for each in walk.milestones if each.is_open]
    if not open_ones:
        return
    chosen, to = data.draw(st.sampled_from(open_ones)), TODAY + timedelta(days=days)
    act, field = attempt(lambda: decide_move(walk, chosen.id, to, "because", DOER, is_shifting=True))
    if act is None:
        assert field == "due_on"
        return
    due = {each.id: each.due_on for each in walk.milestones}
    after = due | {edit.id: edit.values["due_on"] for edit in act.edits}
    later = sorted((each for each in open_ones if each.due_on > chosen.due_on), key=lambda each: each.due_on)
    moved = [after[each.id] for each in later]
    assert moved == sorted(moved)
    assert all(is_working_day(after[edit.id], "DE") and after[edit.id] >= TODAY for edit in act.edits)
    assert {edit.id for edit in act.edits} <= {chosen.id, *(each.id for each in later)}
    assert all(after[each.id] == each.due_on for each in walk.milestones if each not in [chosen, *later])


@given(st.integers(1, 60), st.integers(1, 60))
def test_later_ones_move_by_as_many_working_days(days: int, gap: int):
    begin = date(2026, 3, 11)
    walk = make(
        MilestoneFacts("one", "begin", "One", begin),
        MilestoneFacts("two", "begin", "Two", begin + timedelta(days=7 * gap)),
    )
    act = decide_move(walk, "one", begin + timedelta(days=days), "because", replace(DOER, country=""), is_shifting=True)
    one, two = (edit.values["due_on"] for edit in act.edits)
    assert isinstance(one, date)
    assert isinstance(two, date)
    assert count_working_days(begin, one) == count_working_days(begin + timedelta(days=7 * gap), two)


def test_alone_only_the_one_moves_to_the_next_working_day_and_says_why():
    walk = make(at(1), at(8, "Two"))
    act = decide_move(walk, "one", date(2026, 3, 14), "  their   freeze ", DOER)
    assert [(edit.id, edit.values) for edit in act.edits] == [
        ("one", {"due_on": date(2026, 3, 16), "moved_count": 1}),
    ]
    assert act.told == {"name": "One", "reason": "their freeze", "shifted": 0}


@pytest.mark.parametrize(
    ("to", "reason", "field"),
    [
        (TODAY - timedelta(days=1), "so", "due_on"),
        (TODAY + timedelta(days=1), "so", "due_on"),
        (TODAY + timedelta(days=4000), "so", "due_on"),
        (TODAY + timedelta(days=2), " ", "reason"),
        (TODAY + timedelta(days=2), "x" * 501, "reason"),
    ],
)
def test_a_move_that_cannot_be_is_refused(to: date, reason: str, field: str):
    with pytest.raises(UserError) as refused:
        decide_move(make(at(1)), "one", to, reason, DOER)
    assert refused.value.field == field


def test_done_skipped_and_open_again():
    walk = make(at(1))
    done = decide_done(walk, "one", DOER, TODAY - timedelta(days=1))
    assert done.edits[0].values == {
        "state": MilestoneState.DONE,
        "settled_on": TODAY - timedelta(days=1),
        "settled_by": "m1",
        "reason": "",
    }
    with pytest.raises(UserError, match="future"):
        decide_done(walk, "one", DOER, TODAY + timedelta(days=1))
    with pytest.raises(UserError) as refused:
        decide_skip(walk, "one", "", DOER)
    assert refused.value.field == "reason"
    assert decide_skip(walk, "one", "not needed", DOER).edits[0].values["reason"] == "not needed"
    settled = make(at(1, state=MilestoneState.DONE, settled_by="m2", settled_on=TODAY, version=2))
    with pytest.raises(SettledError) as first:
        decide_done(settled, "one", DOER)
    assert (first.value.by, first.value.on) == ("m2", TODAY)
    assert decide_reopen(settled, "one").edits[0].version == 2
    with pytest.raises(UserError, match="open already"):
        decide_reopen(walk, "one")
    with pytest.raises(ChangedError):
        decide_done(walk, "one", DOER, seen=7)
    with pytest.raises(UserError, match="was removed"):
        decide_done(walk, "other", DOER)


def test_what_is_required_stays_so_and_cannot_be_removed():
    walk = make(at(1), at(2, "Two", is_required=False))
    draft = MilestoneDraft("One", "begin", TODAY, is_required=False)
    with pytest.raises(UserError) as refused:
        decide_edit(walk, "one", draft)
    assert refused.value.field == "is_required"
    with pytest.raises(UserError, match="Skip it"):
        decide_remove(walk, "one", DOER)
    assert decide_remove(walk, "two", DOER).edits[0].values == {"removed_at": DOER.now}
    assert decide_edit(walk, "one", replace(draft, is_required=True)) is None
    skipped = make(at(1, is_required=False, state=MilestoneState.SKIPPED))
    with pytest.raises(UserError, match="settled"):
        decide_edit(skipped, "one", replace(draft, is_required=True))
    renamed = decide_edit(walk, "two", MilestoneDraft(" Two  b ", "middle", TODAY, customer_owner="Jo"))
    assert renamed is not None
    assert renamed.edits[0].values == {"name": "Two b", "stage_key": "middle", "customer_owner": "Jo"}


@pytest.mark.parametrize(
    ("draft", "field"),
    [
        (MilestoneDraft("", "middle", TODAY), "name"),
        (MilestoneDraft("x" * 121, "middle", TODAY), "name"),
        (MilestoneDraft("one", "middle", TODAY), "name"),
        (MilestoneDraft("New", "begin", TODAY), "stage_key"),
        (MilestoneDraft("New", "nowhere", TODAY), "stage_key"),
        (MilestoneDraft("New", "middle", TODAY - timedelta(days=1)), "due_on"),
    ],
)
def test_an_addition_that_cannot_be_is_refused(draft: MilestoneDraft, field: str):
    with pytest.raises(UserError) as refused:
        decide_add(make(at(1), stage="middle"), draft, DOER)
    assert refused.value.field == field


def test_a_stage_takes_no_more_than_its_most():
    full = make(*(at(1, f"Step {number}") for number in range(40)))
    with pytest.raises(UserError) as refused:
        decide_add(full, MilestoneDraft("New", "begin", TODAY), DOER)
    assert refused.value.field == "stage_key"
    saturday = MilestoneDraft(" New  one ", "middle", date(2026, 3, 14))
    added = decide_add(full, saturday, DOER).draft
    assert (added.name, added.due_on) == ("New one", date(2026, 3, 16))


# ---------------------------------------------------------------- stages


@given(journeys(), st.sampled_from(["begin", "middle", "end"]), st.data())
def test_no_required_milestone_vanishes_when_its_stage_is_left(walk: JourneyFacts, stage: str, data: st.DataObject):
    walk = replace(make(*walk.milestones, stage=stage))
    open_ones = list_open(walk)
    fates = {each.id: data.draw(st.sampled_from(Fate)) for each in open_ones if data.draw(st.booleans())}
    reason = data.draw(st.sampled_from(["", "because"]))
    act, field = attempt(lambda: decide_advance(walk, fates, reason, DOER))
    if act is None:
        assert field in {"reason", *(each.id for each in open_ones)}
        return
    after = {edit.id: edit.values for edit in act.edits if edit.kind == "milestone"}
    assert after.keys() == {each.id for each in open_ones}
    for each in open_ones:
        if each.is_required:
            settled = after[each.id]
            assert settled.get("state") is MilestoneState.DONE or settled.get("stage_key") or settled["reason"]


# ---------------------------------------------------------------- pace


@pytest.mark.parametrize(
    ("days", "planned", "overdue", "settled", "is_stuck"),
    [
        (90, 90, 0, None, False),
        (112, 90, 0, None, False),
        (113, 90, 0, None, True),
        (17, 10, 0, None, False),
        (18, 10, 0, None, True),
        (STANDSTILL_DAYS, 90, 1, None, True),
        (STANDSTILL_DAYS, 90, 0, None, False),
        (STANDSTILL_DAYS, 90, 1, 5, False),
        (500, None, 3, None, False),
    ],
)
def test_a_stage_is_stuck_beyond_its_margin_or_at_a_standstill(
    days: int, planned: int | None, overdue: int, settled: int | None, *, is_stuck: bool
):
    last = TODAY - timedelta(days=settled) if settled is not None else None
    assert Pace(TODAY - timedelta(days=days), planned, overdue, last).is_stuck(TODAY) is is_stuck
