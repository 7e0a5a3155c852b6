"""Two people press two buttons of one alert in the same second: real transactions in two threads, on both databases.
One wins; the other is told who, and nothing of theirs is kept.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from commands.alerts.alert_acts import act, get_view
from commands.slice import Call, Person, Ref
from pipeline import wake
from rules.alerts.alerts import Assign, Dismiss, Event, Resolve, Take
from rules.errors import StaleError, UserError
from rules.records import DismissReason, EpisodeState, Role, Severity
from storage.alerts.alerts import get_episode, list_history
from storage.alerts.timers import list_due_timers
from storage.db import Database
from tests.alert_rows import add_account, add_episode, add_member, add_sent
from tests.conftest import NOW
from words.reader import Reader

ADA, BOB = (Person(f"m-{id_}", id_, id_.lower(), Role.LEAD) for id_ in ("ADA", "BOB"))


@pytest.fixture
def episode_id(database: Database, workspace_id: str) -> str:
    with database.writing(workspace_id) as tx:
        add_account(tx, "acme")
        for person in (ADA, BOB):
            add_member(tx, person.slack_id, role=Role.LEAD)
        row = add_episode(tx, "acme", severity=Severity.CRITICAL, facts={"from_score": 72, "to_score": 49, "days": 9})
        row.timer_step, row.timer_at, row.timer_epoch = "escalate", NOW - timedelta(hours=1), 1
        row.escalation = [{"level": each, "at": (NOW - timedelta(hours=1)).isoformat()} for each in range(4)]
        add_sent(tx, "alert", row.id)
        return row.id


def race(*deeds: Callable[[], object]) -> list[Exception | None]:
    """Let them run at the same moment; what each raised."""
    gate = threading.Barrier(len(deeds))

    def run(deed: Callable[[], object]) -> Exception | None:
        gate.wait()
        try:
            deed()
        except UserError as error:
            return error
        return None

    with ThreadPoolExecutor(len(deeds)) as pool:
        return list(pool.map(run, deeds))


def press(database: Database, workspace_id: str, episode_id: str, person: Person, event: Event) -> Callable[[], object]:
    call = Call(person, Reader("en-US", "UTC"), NOW, ref=Ref("episode", episode_id))

    def deed() -> None:
        with database.writing(workspace_id) as tx:
            act(call, tx, get_view(call, tx), event)

    return deed


PAIRS = {
    "both take it": (Take(ADA.id), Take(BOB.id)),
    "one resolves, one dismisses": (Resolve(ADA.id), Dismiss(BOB.id, DismissReason.KNOWN)),
    "one takes, one resolves": (Take(ADA.id), Resolve(BOB.id)),
    "one assigns, one takes": (Assign(BOB.id), Take(BOB.id)),
}


@pytest.mark.parametrize("pair", PAIRS)
def test_two_buttons_in_the_same_second(database: Database, workspace_id: str, episode_id: str, pair: str):
    """What cannot both be is refused to the second, by name; what can be done one after the other is."""
    one, other = PAIRS[pair]
    deeds = [press(database, workspace_id, episode_id, *each) for each in ((ADA, one), (BOB, other))]
    errors = race(*deeds)
    with database.reading(workspace_id) as tx:
        row, lines = get_episode(tx, episode_id), list_history(tx, episode_id)
    done = [each for each in errors if each is None]
    assert len(lines) == len(done) == row.version - 1 >= 1
    assert [line.version for line in lines] == list(range(2, row.version + 1))
    for error in filter(None, errors):
        winner = "ada" if errors[0] is None else "bob"
        assert isinstance(error, StaleError)
        assert error.values["who"] == winner
    if pair in ("both take it", "one resolves, one dismisses"):
        assert len(done) == 1
        assert row.state is not EpisodeState.OPEN


def test_a_button_and_a_timer_in_the_same_second(database: Database, workspace_id: str, episode_id: str):
    """The timer was read before: it acts before the person or not at all."""
    with database.reading(workspace_id) as tx:
        timers = list_due_timers(tx, NOW)

    def run_timers() -> None:
        with database.writing(workspace_id) as tx:
            wake.run_timers(tx, timers, NOW)

    assert timers
    assert race(press(database, workspace_id, episode_id, ADA, Take(ADA.id)), run_timers) == [None, None]
    with database.reading(workspace_id) as tx:
        row, lines = get_episode(tx, episode_id), list_history(tx, episode_id)
    assert [line.verb for line in lines] in (["taken"], ["escalated", "taken"])
    assert (row.state, row.taken_by, row.timer_step) == (EpisodeState.ACKED, ADA.id, "ask")
