"""The judge of the kill soak, on ledgers written by hand: it must see each kind of damage, and only that."""

from __future__ import annotations

import json
from dataclasses import asdict
from random import Random
from typing import Any

import pytest

from benchmarks.soak.oracle import Limits, judge
from benchmarks.soak.plan import LONG, OVERDUE
from benchmarks.soak.story import Expected, Kind, Model, write_story
from playground.faults import FaultKind

Json = dict[str, Any]
LIMITS = Limits(spacing=0.1, until=100.0)


def expect(*rows: tuple[str, str, str, str]) -> dict[str, Expected]:
    """Messages as (key, channel, parent, text), committed one second after the other."""
    return {row[0]: Expected(*row, committed_at=float(at)) for at, row in enumerate(rows)}


class Book:
    """A ledger under a test's hand."""

    def __init__(self) -> None:
        self.entries: list[Json] = []

    def write(self, kind: str, name: str, at: float, content: Json, **more: Any) -> Book:
        entry = {"n": len(self.entries) + 1, "kind": kind, "name": name, "at": at, "content": content}
        self.entries.append({**entry, "outcome": "ok", **more})
        return self

    def post(self, key: str, at: float, channel: str = "C1", thread_ts: str = "", text: str = "") -> Book:
        metadata = json.dumps({"event_type": "milepost", "event_payload": {"key": key}})
        content = {"channel": channel, "text": text or key, "metadata": metadata}
        content |= {"thread_ts": thread_ts} if thread_ts else {}
        return self.write("api", "chat.postMessage", at, content, place={"channel": channel, "ts": f"{at:.6f}"})

    def touch(self, method: str, ts: float, text: str = "") -> Book:
        place = {"channel": "C1", "ts": f"{ts:.6f}"}
        return self.write("api", method, ts + 5, {**place, "text": text}, place=place)

    def damage(self, expected: dict[str, Expected]) -> dict[str, int]:
        found = asdict(judge(self.entries, expected, LIMITS).damage)
        return {name: count for name, count in found.items() if count}


TWO = (("a", "C1", "", "a"), ("b", "C1", "", "b"))


def test_a_ledger_as_it_should_be_is_no_damage():
    verdict = judge(Book().post("a", 10).post("b", 11).entries, expect(*TWO), LIMITS)
    assert verdict.damage.is_none
    assert verdict.waits == (10.0, 10.0, 10.0)
    assert verdict.calls == {"chat.postMessage": 2}


@pytest.mark.parametrize(
    ("book", "damage"),
    [
        (Book().post("a", 10), {"lost": 1}),
        (Book(), {"lost": 2}),
        (Book().post("a", 10).post("b", 11).post("b", 12), {"doubled": 1}),
        (Book().post("a", 10).post("b", 11).post("ghost", 12), {"unasked": 1}),
        (Book().post("b", 10).post("a", 11), {"disordered": 1}),
        (Book().post("a", 10).post("b", 11, channel="C2"), {"misplaced": 1}),
        (Book().post("a", 10).post("b", 11, thread_ts="9.000000"), {"misplaced": 1}),
        (Book().post("a", 10).post("b", 10.05), {"crowded": 1}),
        (Book().post("a", 10).post("b", 11, text="old"), {"stale": 1}),
        (Book().post("a", 10).post("b", 11).touch("chat.update", 11, "old"), {"stale": 1}),
        (Book().post("a", 10).post("b", 101), {"late": 1}),
        (Book().post("a", 10).post("b", 11).touch("chat.delete", 11), {"lost": 1}),
    ],
)
def test_each_kind_of_damage_is_seen(book: Book, damage: dict[str, int]):
    assert book.damage(expect(*TWO)) == damage


def test_a_copy_that_was_deleted_is_counted_apart():
    book = Book().post("a", 10).post("b", 11).post("b", 12).touch("chat.delete", 12)
    verdict = judge(book.entries, expect(*TWO), LIMITS)
    assert verdict.damage.is_none
    assert verdict.removed == 1


def test_a_reply_belongs_under_its_parent_and_a_change_counts():
    expected = expect(("a", "C1", "", "a v2"), ("r", "C1", "a", "r"))
    book = Book().post("a", 10).post("r", 11, thread_ts="10.000000").touch("chat.update", 10, "a v2")
    assert book.damage(expected) == {}
    assert Book().post("a", 10, text="a v2").post("r", 11).damage(expected) == {"misplaced": 1}


def test_a_post_that_a_fault_struck_is_one_arrival():
    book = Book().write("fault", "chat.postMessage", 10, {"channel": "C1"}, outcome="drop_after_accept")
    book.post("a", 10.001).entries[-1]["struck_by"] = 1
    assert book.post("b", 11).damage(expect(*TWO)) == {}
    refused = Book().write("fault", "chat.postMessage", 10, {"channel": "C1"}, outcome="fail").post("a", 10.05)
    assert refused.post("b", 11).damage(expect(*TWO)) == {"crowded": 1}
    assert judge(refused.entries, expect(*TWO), LIMITS).faults == {"fail": 1}


def test_a_ledger_that_has_forgotten_its_beginning_is_not_judged():
    with pytest.raises(ValueError, match="not complete"):
        judge(Book().post("a", 10).post("b", 11).entries[1:], expect(*TWO), LIMITS)


# ---------------------------------------------------------------- the plan and the story


def test_the_faults_of_a_plan_add_up_to_its_share():
    rules = [rule for rule in LONG.list_rules() if rule.method == "chat.postMessage"]
    left = 1.0
    for rule in rules:
        left *= 1 - rule.probability
    assert 1 - left == pytest.approx(LONG.share)
    assert {rule.kind for rule in rules} == set(FaultKind) - {FaultKind.DUPLICATE}


def test_only_a_post_may_land_after_the_settle_time():
    late = {rule.method: rule.seconds for rule in OVERDUE.list_rules() if rule.kind is FaultKind.APPLY_LATE}
    assert late["chat.postMessage"] == OVERDUE.lands_after > OVERDUE.pace.settle
    assert late["chat.update"] is not None
    assert late["chat.update"] < OVERDUE.pace.settle
    assert LONG.lands_after < LONG.pace.settle


def test_a_story_is_the_same_for_the_same_seed_and_says_what_was_asked_for():
    first, again, other = (write_story(Random(seed), 200, 5, 10.0) for seed in (1, 1, 2))
    assert first == again != other
    model = Model()
    for chapter in first:
        if not chapter.is_undone:
            model.note(chapter, chapter.at)
    assert len(model.messages) == 200
    assert any(chapter.is_undone for chapter in first)
    assert not any("ghost" in key for key in model.messages)
    assert {step.kind for chapter in first for step in chapter.steps} == set(Kind)
    assert [chapter.at for chapter in first] == sorted(chapter.at for chapter in first)
