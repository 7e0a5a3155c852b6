"""A journey's life as a machine: whatever people do in whatever order, dates stay working days, one journey at most is
under way, no required milestone vanishes silently, whoever acts on what has changed is told, and Undo restores it all.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlmodel import delete, select

from rules.accounts.accounts import AccountDraft
from rules.accounts.accounts import decide_add as decide_account
from rules.calendar import is_working_day
from rules.errors import UserError
from rules.records import Actor, Lane, MilestoneState, Role
from rules.success.journey_walk import Fate, decide_advance, decide_back, decide_close, decide_start, list_open
from rules.success.journeys import (
    ChangedError,
    Doer,
    JourneyFacts,
    JourneyIntent,
    MilestoneDraft,
    MilestoneFacts,
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
from rules.success.templates import plan_journey
from storage.accounts.account_writes import apply_accounts
from storage.audit import get_change
from storage.db import Database, Tx
from storage.library import list_templates
from storage.people.members import add_by_slack_id
from storage.people.workspaces import WorkspaceRow
from storage.schema import METADATA
from storage.success.journey_history import is_needed, is_undone, plan_undo
from storage.success.journey_writes import apply_journeys
from storage.success.journeys import JourneyRow, JourneyStageRow, MilestoneRow, find_journey_facts
from tests.conftest import NOW, add_workspace

COUNTRY = "DE"
WALKS = settings(max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck))
REASONS = st.sampled_from(["", "because"])
PICK = st.integers(0, 1000)
_folder = tempfile.TemporaryDirectory()
Rows = list[tuple[str, dict[str, Any]]]


def fresh_copy() -> Path:
    """A SQLite file with all tables; the one of the example before is gone."""
    path, template = Path(_folder.name) / "journeys.db", Path(_folder.name) / "template.db"
    if not template.exists():
        database = Database(f"sqlite:///{template}")
        METADATA.create_all(database.engine)
        database.close()
    for end in ("", "-wal", "-shm"):
        path.with_name(path.name + end).unlink(missing_ok=True)
    return Path(shutil.copyfile(template, path))


class Walks(RuleBasedStateMachine):
    """One account in a SQLite file of its own, or in the PostgreSQL database at `url`, which is emptied first.
    `required`: names of the milestones of the journey under way that may not be lost.
    """

    def __init__(self, url: str = "") -> None:
        super().__init__()
        self.url = url

    @initialize()
    def begin(self) -> None:
        self.now, self.last = NOW, ("", [])
        self.required: set[str] = set()
        self.database = Database(self.url or f"sqlite:///{fresh_copy()}")
        with self.database.write() as session:
            session.connection().execute(delete(WorkspaceRow))
        self.workspace_id = add_workspace(self.database)
        with self.database.writing(self.workspace_id) as tx:
            member = add_by_slack_id(tx, "U1", role=Role.CSM, zone="UTC", locale="en-US")
            self.actor = Actor("member", member.id, "Ada")
            self.account_id = apply_accounts(tx, decide_account(AccountDraft("Acme")), self.actor, NOW)[0].id

    def teardown(self) -> None:
        if hasattr(self, "database"):
            self.database.close()

    # ------------------------------------------------------------ what people do

    @rule(place=PICK, days=st.integers(-200, 60), stage=PICK)
    def start(self, place: int, days: int, stage: int) -> None:
        template = list_templates()[place % 3]
        key = template.stages[stage % len(template.stages)].key
        plan = plan_journey(template, self.today + timedelta(days=days), "en", COUNTRY, key)
        if self.do(lambda journey: decide_start(self.account_id, plan, self.doer, journey)):
            self.required = {each.name for each in plan.milestones if each.is_required}

    @rule(days=st.integers(1, 20))
    def wait(self, days: int) -> None:
        self.now += timedelta(days=days)

    @rule(place=PICK, back=st.integers(-1, 5))
    def finish(self, place: int, back: int) -> None:
        self.do_one(place, lambda walk, one: decide_done(walk, one.id, self.doer, self.today - timedelta(days=back)))

    @rule(place=PICK, reason=REASONS)
    def skip(self, place: int, reason: str) -> None:
        self.do_one(place, lambda walk, one: decide_skip(walk, one.id, reason, self.doer))

    @rule(place=PICK)
    def reopen(self, place: int) -> None:
        self.do_one(place, lambda walk, one: decide_reopen(walk, one.id))

    @rule(place=PICK, days=st.integers(-5, 90), is_shifting=st.booleans())
    def move(self, place: int, days: int, *, is_shifting: bool) -> None:
        to = self.today + timedelta(days=days)
        self.do_one(place, lambda walk, one: decide_move(walk, one.id, to, "so", self.doer, is_shifting=is_shifting))

    @rule(name=st.sampled_from("ABCDEF"), place=PICK, days=st.integers(0, 90), is_required=st.booleans())
    def add(self, name: str, place: int, days: int, *, is_required: bool) -> None:
        def decide(walk: JourneyFacts) -> JourneyIntent:
            stage = walk.stages[place % len(walk.stages)].key
            due_on = self.today + timedelta(days=days)
            return decide_add(walk, MilestoneDraft(name, stage, due_on, Lane.GOAL, is_required), self.doer)

        if self.do_on(decide) and is_required:
            self.required.add(name)

    @rule(place=PICK, stage=PICK, is_required=st.booleans())
    def edit(self, place: int, stage: int, *, is_required: bool) -> None:
        def decide(walk: JourneyFacts, one: MilestoneFacts) -> JourneyIntent:
            key = walk.stages[stage % len(walk.stages)].key
            draft = MilestoneDraft(one.name, key, one.due_on, Lane.OURS, is_required, self.actor.id, "Jo")
            return decide_edit(walk, one.id, draft) or decide_reopen(walk, one.id)

        names = self.do_one(place, decide)
        if names and is_required:
            self.required |= names

    @rule(place=PICK)
    def remove(self, place: int) -> None:
        self.do_one(place, lambda walk, one: decide_remove(walk, one.id, self.doer))

    @rule(data=st.data(), reason=REASONS)
    def advance(self, data: st.DataObject, reason: str) -> None:
        def decide(walk: JourneyFacts) -> JourneyIntent:
            fates = {each.id: data.draw(st.sampled_from(Fate)) for each in list_open(walk) if data.draw(st.booleans())}
            return decide_advance(walk, fates, reason, self.doer)

        self.do_on(decide)

    @rule()
    def go_back(self) -> None:
        self.do_on(lambda walk: decide_back(walk, self.doer))

    @rule(reason=REASONS)
    def close(self, reason: str) -> None:
        self.do_on(lambda walk: decide_close(walk, reason, self.doer))

    @precondition(lambda self: self.last[0])
    @rule()
    def undo(self) -> None:
        """Taken back, everything is as it was before, but for the versions, which only rise."""
        line_id, before = self.last
        with self.database.writing(self.workspace_id) as tx:
            line = get_change(tx, line_id)
            assert line is not None
            assert not is_undone(tx, line)
            assert not is_needed(tx, line)
            apply_journeys(tx, plan_undo(tx, line, self.now), self.actor, self.now)
        assert self.dump() == before
        with self.database.writing(self.workspace_id) as tx:
            line = get_change(tx, line_id)
            assert line is not None
            assert is_undone(tx, line)
            walk = find_journey_facts(tx, self.account_id)
        self.last = ("", [])
        self.required = {each.name for each in walk.milestones if each.is_required} if walk else set()

    @rule(place=PICK)
    def act_on_old_facts(self, place: int) -> None:
        """Two people decide on the same facts: the second is told, and nothing of theirs is kept."""
        with self.database.reading(self.workspace_id) as tx:
            walk = find_journey_facts(tx, self.account_id)
        open_ones = [each for each in walk.milestones if each.is_open] if walk else []
        if walk is None or not open_ones:
            return
        one = open_ones[place % len(open_ones)]
        first = decide_done(walk, one.id, self.doer)
        second = decide_skip(walk, one.id, "because", self.doer)
        assert self.apply([first])
        before = self.dump()
        told = False
        try:
            with self.database.writing(self.workspace_id) as tx:
                apply_journeys(tx, [second], self.actor, self.now)
        except ChangedError:
            told = True
        assert told
        assert self.dump() == before

    # ------------------------------------------------------------ what always holds

    @invariant()
    def one_journey_at_most_is_under_way(self) -> None:
        journeys = [row for table, row in self.dump() if table == "journeys"]
        assert sum(row["closed_at"] is None for row in journeys) <= 1

    @invariant()
    def every_date_is_a_working_day(self) -> None:
        days = [row["due_on"] for table, row in self.dump() if table == "milestones"]
        assert all(is_working_day(day, COUNTRY) for day in days)

    @invariant()
    def no_required_milestone_is_lost(self) -> None:
        walk = self.read()
        if walk is None:
            return
        there = {each.name: each for each in walk.milestones}
        assert self.required <= there.keys()
        for each in there.values():
            is_explained = each.state is not MilestoneState.SKIPPED or each.reason
            assert is_explained or not each.is_required

    @invariant()
    def what_is_settled_says_when_and_by_whom(self) -> None:
        walk = self.read()
        for each in walk.milestones if walk else ():
            assert (each.settled_on is None) is each.is_open
            assert (each.settled_by is None) is each.is_open

    @invariant()
    def the_present_stage_has_begun_and_not_ended(self) -> None:
        walk = self.read()
        if walk is not None:
            present = walk.stages[walk.place]
            assert present.entered_on is not None
            assert present.left_on is None
            assert all(stage.left_on is not None for stage in walk.stages[: walk.place])

    # ------------------------------------------------------------ how

    @property
    def today(self) -> date:
        return self.now.date()

    @property
    def doer(self) -> Doer:
        return Doer(self.actor.id, self.now, self.today, COUNTRY)

    def read(self) -> JourneyFacts | None:
        with self.database.reading(self.workspace_id) as tx:
            return find_journey_facts(tx, self.account_id)

    def do_one(self, place: int, decide: Callable[[JourneyFacts, MilestoneFacts], JourneyIntent]) -> set[str]:
        """Do something to one milestone of the journey, its name where it was done."""
        names: set[str] = set()

        def chosen(walk: JourneyFacts) -> JourneyIntent:
            one = walk.milestones[place % len(walk.milestones)]
            decided = decide(walk, one)
            names.add(one.name)
            return decided

        walk = self.read()
        return names if walk and walk.milestones and self.do_on(chosen) else set()

    def do_on(self, decide: Callable[[JourneyFacts], JourneyIntent]) -> bool:
        walk = self.read()
        return walk is not None and self.do(lambda _journey: [decide(walk)])

    def do(self, decide: Callable[[JourneyFacts | None], Sequence[JourneyIntent]]) -> bool:
        """Do it, unless it is refused in words."""
        try:
            intents = decide(self.read())
        except UserError:
            return False
        return self.apply(intents)

    def apply(self, intents: Sequence[JourneyIntent]) -> bool:
        before = self.dump()
        self.now += timedelta(seconds=1)
        with self.database.writing(self.workspace_id) as tx:
            lines = apply_journeys(tx, intents, self.actor, self.now)
        self.last = (lines[-1], before)
        return True

    def dump(self) -> Rows:
        """Every row that is there, without versions."""
        with self.database.reading(self.workspace_id) as tx:
            return [each for table in (JourneyRow, JourneyStageRow, MilestoneRow) for each in _dump(tx, table)]


def _dump(tx: Tx, table: Any) -> Rows:
    name = str(table.__tablename__)
    rows = [row.model_dump(exclude={"version"}) for row in tx.session.exec(select(table))]
    there = [row for row in rows if row.get("removed_at") is None]
    return sorted(((name, row) for row in there), key=repr)


def test_journeys_on_sqlite():
    run_state_machine_as_test(Walks, settings=WALKS)


def test_journeys_on_postgres(postgres_url: str):
    run_state_machine_as_test(lambda: Walks(postgres_url), settings=settings(WALKS, max_examples=8))
