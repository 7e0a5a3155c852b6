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
from storage.audit import find_line
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
WALKS = settings(max_examples=20, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck))
REASONS = st.sampled_from(["", "because", "because"])
FATES = st.sampled_from([*Fate, *Fate, Fate.DONE, Fate.DONE, None])
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
        self.walk: JourneyFacts | None = None
        self.start(0, -30, 0)

    def teardown(self) -> None:
        if hasattr(self, "database"):
            self.database.close()

    # ------------------------------------------------------------ what people do

    @precondition(lambda self: self.walk is None)
    @rule(place=PICK, days=st.integers(-200, 60), stage=PICK)
    def start_another(self, place: int, days: int, stage: int) -> None:
        self.start(place, days, stage)

    @precondition(lambda self: self.walk and self.now - self.begun > timedelta(days=20))
    @rule(place=PICK)
    def replace_it(self, place: int) -> None:
        self.start(place, 0, 0)

    def start(self, place: int, days: int, stage: int) -> None:
        template = list_templates()[place % 3]
        key = template.stages[stage % len(template.stages)].key
        plan = plan_journey(template, self.today + timedelta(days=days), "en", COUNTRY, key)
        if self.do(decide_start(self.account_id, plan, self.doer, self.walk)):
            self.begun = self.now
            self.required = {each.name for each in plan.milestones if each.is_required}

    @rule(days=st.integers(1, 10))
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
            fates = {each.id: data.draw(FATES) for each in list_open(walk)}
            fates = {id_: fate for id_, fate in fates.items() if fate is not None}
            return decide_advance(walk, fates, reason, self.doer)

        self.do_on(decide)

    @rule()
    def go_back(self) -> None:
        self.do_on(lambda walk: decide_back(walk, self.doer))

    @precondition(lambda self: self.walk and self.now - self.begun > timedelta(days=40))
    @rule(reason=REASONS)
    def close(self, reason: str) -> None:
        self.do_on(lambda walk: decide_close(walk, reason, self.doer))

    @precondition(lambda self: self.last[0])
    @rule()
    def undo(self) -> None:
        """Taken back, everything is as it was before, but for the versions, which only rise."""
        line_id, before = self.last
        with self.database.writing(self.workspace_id) as tx:
            line = find_line(tx, line_id)
            assert line is not None
            assert not is_undone(tx, line)
            assert not is_needed(tx, line)
            apply_journeys(tx, plan_undo(tx, line, self.now), self.actor, self.now)
        assert self.dump() == before
        with self.database.writing(self.workspace_id) as tx:
            line = find_line(tx, line_id)
            assert line is not None
            assert is_undone(tx, line)
            self.walk = walk = find_journey_facts(tx, self.account_id)
        self.last = ("", [])
        self.required = {each.name for each in walk.milestones if each.is_required} if walk else set()

    @rule(place=PICK)
    def act_on_old_facts(self, place: int) -> None:
        """Two people decide on the same facts: the second is told, and nothing of theirs is kept."""
        walk = self.walk
        open_ones = [each for each in walk.milestones if each.is_open] if walk else []
        if walk is None or not open_ones:
            return
        one = open_ones[place % len(open_ones)]
        first = decide_done(walk, one.id, self.doer)
        second = decide_skip(walk, one.id, "because", self.doer)
        assert self.do([first])
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
    def everything_is_in_order(self) -> None:
        rows = self.dump()
        assert sum(table == "journeys" and row["closed_at"] is None for table, row in rows) <= 1
        assert all(is_working_day(row["due_on"], COUNTRY) for table, row in rows if table == "milestones")
        if self.walk is not None:
            self.check_milestones(self.walk)
            self.check_stages(self.walk)

    def check_milestones(self, walk: JourneyFacts) -> None:
        """No required one is lost, and what is settled says when and by whom."""
        assert self.required <= {each.name for each in walk.milestones}
        for each in walk.milestones:
            assert each.state is not MilestoneState.SKIPPED or each.reason or not each.is_required
            assert (each.settled_on is None) is each.is_open
            assert (each.settled_by is None) is each.is_open

    def check_stages(self, walk: JourneyFacts) -> None:
        """The present stage has begun and not ended; those before it have ended."""
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

    def do_one(self, place: int, decide: Callable[[JourneyFacts, MilestoneFacts], JourneyIntent]) -> set[str]:
        """Do something to one milestone of the journey; its name where it was done."""
        if self.walk is None or not self.walk.milestones:
            return set()
        one = self.walk.milestones[place % len(self.walk.milestones)]
        return {one.name} if self.do_on(lambda walk: decide(walk, one)) else set()

    def do_on(self, decide: Callable[[JourneyFacts], JourneyIntent]) -> bool:
        """Do something to the journey under way, unless it is refused in words."""
        if self.walk is None:
            return False
        try:
            return self.do([decide(self.walk)])
        except UserError:
            return False

    def do(self, intents: Sequence[JourneyIntent]) -> bool:
        before = self.dump()
        self.now += timedelta(seconds=1)
        with self.database.writing(self.workspace_id) as tx:
            lines = apply_journeys(tx, intents, self.actor, self.now)
            self.walk = find_journey_facts(tx, self.account_id)
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
