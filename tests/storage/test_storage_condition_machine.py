"""Conditions as a machine: looks on days in any order, kept in storage between them, on both databases, against a model
that looks at the whole history each time.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from rules.alerts.conditions import Condition, Topic, Verdict, observe
from rules.records import AlertKind
from storage.accounts.accounts import AccountRow
from storage.alerts.conditions import list_conditions, save_conditions
from storage.db import Database
from tests.alert_rows import TODAY
from tests.conftest import NOW, add_workspace
from tests.pipeline.test_pipeline_alert_machine import make_fast
from tests.rules.condition_model import BAD, BETWEEN, GOOD, NO_DATA, History

TOPICS: dict[Topic, int] = {
    (AlertKind.HEALTH_DROP, ""): 2,
    (AlertKind.MILESTONE_OVERDUE, "m1:2026-03-24"): 1,
    (AlertKind.TARGET_BEHIND, "t1"): 3,
}
"""What is looked at, and on how many days a rule of it wants to see it."""
VERDICTS = st.sampled_from([BAD, BAD, BAD, GOOD, GOOD, GOOD, BETWEEN, NO_DATA])
WALKS = settings(max_examples=200, stateful_step_count=50, deadline=None, suppress_health_check=list(HealthCheck))


class Conditions(RuleBasedStateMachine):
    """One account of a fresh name in a workspace they all share."""

    numbers = iter(range(1_000_000))

    def __init__(self, database: Database, workspace_id: str) -> None:
        super().__init__()
        self.database, self.workspace_id = database, workspace_id

    @initialize()
    def begin(self) -> None:
        self.account_id, self.day = f"a{next(self.numbers)}", TODAY
        self.histories = {topic: History(needed) for topic, needed in TOPICS.items()}
        with self.writing() as tx:
            named = {"name": self.account_id, "slug": self.account_id, "created_at": NOW}
            tx.session.add(AccountRow(id=self.account_id, workspace_id=self.workspace_id, **named))

    def writing(self) -> Any:
        return self.database.writing(self.workspace_id)

    @rule(
        topic=st.sampled_from(list(TOPICS)),
        days=st.sampled_from([1, 1, 1, 1, 2, 5, 13, 14, 0, -1]),
        verdicts=st.lists(VERDICTS, min_size=1, max_size=6),
    )
    def look(self, topic: Topic, days: int, verdicts: list[str]) -> None:
        """One rule looks at it for some days: mostly from the day after, sometimes late, again or on an earlier day."""
        self.day += timedelta(days=days - 1)
        with self.writing() as tx:
            known = list_conditions(tx, [self.account_id]).get(self.account_id, {})
            after = known.get(topic)
            for verdict in verdicts:
                self.day += timedelta(days=1)
                after = observe(after, Verdict(verdict), self.day, needed=TOPICS[topic])
                self.histories[topic].see(self.day, verdict)
            moved = {**known, topic: after} if after else known
            save_conditions(tx, {self.account_id: moved}, {self.account_id: known})

    @invariant()
    def storage_is_as_the_days_say(self) -> None:
        if not hasattr(self, "histories"):
            return
        with self.database.reading(self.workspace_id) as tx:
            found = list_conditions(tx, [self.account_id]).get(self.account_id, {})
        seen = {topic: history for topic, history in self.histories.items() if history.seen}
        assert set(found) == set(seen)
        for topic, history in seen.items():
            assert _describe(found[topic]) == (
                *(history.state, history.streak, history.openings, history.is_initial, history.is_flapping),
                history.seen[-1][0],
            )


def _describe(condition: Condition) -> tuple[Any, ...]:
    return (
        *(condition.state.value, condition.streak, condition.openings, condition.is_initial, condition.is_flapping),
        condition.observed_on,
    )


def test_conditions_are_as_the_days_say(database: Database):
    make_fast(database)
    workspace_id = add_workspace(database)
    run_state_machine_as_test(lambda: Conditions(database, workspace_id), settings=WALKS)
