"""`/cs timeline`: what happened, told in sentences, newest first, in pages and a fixed number of statements. A verb
that storage writes about accounts and that has no sentence fails here.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event

from commands.accounts.accounts import submit
from commands.accounts.contacts import contact
from commands.accounts.notes import UNDO, note, undo
from commands.accounts.timeline import MORE, PAGE_LENGTH, show, timeline, turn_page
from commands.blocks.timeline import SUBJECTS, Entry, find_sentence
from commands.slice import Ref
from commands.success.measurements import log
from commands.success.targets import target
from rules.errors import UserError
from rules.records import Actor, AlertKind, Change, OfferState, Role
from storage.audit import AuditRow, record
from tests.alert_rows import add_episode
from tests.commands.conftest import Desk, find_ref, shown
from tests.conftest import NOW
from words.reader import Reader

LATER = timedelta(minutes=1)
ROOT = Path(__file__).resolve().parents[2]
VERB = re.compile(r"[a-z]+\.[a-z_]+")
# What the audit tells of the workspace and its people, and of no account.
OF_NO_ACCOUNT = {"workspace", "member", "metric", "change", "schedule", "template", "connection", "outbox"}


@pytest.fixture
def statements(desk: Desk) -> Iterator[list[str]]:
    """What is sent to the database."""
    sent: list[str] = []
    engine = desk.tx.session.get_bind().engine

    def listen(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        sent.append(statement)

    event.listen(engine, "before_cursor_execute", listen)
    yield sent
    event.remove(engine, "before_cursor_execute", listen)


def act(desk: Desk) -> None:
    """A few things done to Acme, a minute apart."""
    acme = desk.add_account("Acme")
    for handle, text in (
        (note, "acme call: they plan a pilot"),
        (contact, "acme Jo Doe, CFO, sponsor"),
        (target, "acme conversion from 5% to 10% by 31 Dec"),
        (log, "acme conversion 6.1% first week"),
    ):
        desk.now += LATER
        desk.do(handle, text)
    desk.now += LATER
    desk.do(submit, ref=Ref("account", acme.id), values={"name": "Acme", "seats": "60", "country": "DE"})


# ---------------------------------------------------------------- what is told


def test_everything_that_happened_is_told_newest_first(desk: Desk):
    act(desk)
    text = desk.say(timeline, "acme").replace("\u202f", " ")
    lines = [line for line in text.splitlines() if " · " in line]
    assert [line.partition(" · ")[2] for line in lines] == [
        "<@U0000001> changed seats – → 60 · country – → Germany",
        "<@U0000001> logged 6.1 % for conversion: “first week”",
        "<@U0000001> agreed on the target conversion: 10 % by 31 Dec 2026",
        "<@U0000001> added the contact Jo Doe",
        "<@U0000001> kept: Call of 10 Mar 2026: they plan a pilot",
        "An import added the account",
    ]
    assert lines[0].startswith("10 Mar 09:05")


def test_what_was_taken_back_is_told_so_and_its_text_is_gone(desk: Desk):
    desk.add_account("Acme")
    kept = desk.do(note, "acme call: secret")
    desk.now += LATER
    desk.press(undo, find_ref(kept, UNDO))
    text = desk.say(timeline, "acme notes")
    assert "took back: Call of 10 Mar 2026" in text
    assert "kept: Call of 10 Mar 2026 (taken back since)" in text
    assert "secret" not in text


def test_subjects_can_be_asked_for_and_unknown_ones_are_refused(desk: Desk):
    act(desk)
    assert "*Acme*: 1 entry" in desk.say(timeline, "acme notes")
    assert "*Acme*: 2 entries" in desk.say(timeline, "acme target")
    assert "nothing of this kind" in desk.say(timeline, "acme alerts")
    with pytest.raises(UserError, match="gossip"):
        desk.do(timeline, "acme gossip")
    assert "Which account?" in desk.say(timeline)


def test_jobs_imports_and_people_who_left_have_names(desk: Desk):
    acme = desk.add_account("Acme")
    for actor in (Actor.job("scan"), Actor("member", "0" * 32), Actor("import", "a.csv")):
        record(desk.tx, Change("journey.started", "journey", "j", acme.id, after={"name": "Onboarding"}), actor, NOW)
    text = desk.say(timeline, "acme journey")
    for who in ("Milepost", "somebody who left", "An import"):
        assert f"{who} started the journey Onboarding" in text


def test_an_imported_value_and_target_are_named(desk: Desk):
    acme = desk.add_account("Acme")
    desk.do(target, "acme conversion from 5% to 10% by 31 Dec")
    value = {"metric_key": "conversion", "value": "6.1", "measured_on": "2026-03-01"}
    goal = {"metric_key": "conversion", "goal": "10", "due_on": "2026-12-31", "unit": "%"}
    for kind, after in (("measurements", value), ("targets", goal)):
        record(desk.tx, Change("import", kind, "x", acme.id, after=after), Actor("import", "a.csv"), NOW)
    text = desk.say(timeline, "acme")
    assert "An import imported 6.1\u202f% for conversion" in text
    assert "An import imported the target conversion: 10\u202f% by 31 Dec 2026" in text


def test_pages_turn_and_keep_their_subject(desk: Desk):
    acme = desk.add_account("Acme")
    for number in range(PAGE_LENGTH + 1):
        desk.now += LATER
        desk.do(note, f"acme number {number:02}")
    first = desk.do(timeline, "acme notes")
    assert "number 00" not in shown(first[0])
    second = shown(desk.press(turn_page, find_ref(first, MORE))[0])
    assert "number 00" in second
    assert "added the account" not in second
    assert "page 2 of 2" in shown(desk.press(turn_page, Ref("account", acme.id, {"page": "9"}))[0])


def test_a_page_takes_as_many_statements_with_many_lines_as_with_few(desk: Desk, statements: list[str]):
    act(desk)
    person = desk.person()
    statements.clear()
    desk.do(timeline, "acme", person=person)
    few = len(statements)
    for number in range(4):
        desk.now += LATER
        desk.do(note, f"acme number {number}")
        desk.do(contact, f"acme Person {number}")
    statements.clear()
    desk.do(timeline, "acme", person=person)
    assert len(statements) <= few
    assert few <= 13


def test_texts_of_the_timeline_are_escaped(desk: Desk):
    acme = desk.add_account("Acme <!here>")
    desk.do(note, "acme call: <!channel> & <@U1>")
    record(desk.tx, Change("task.<!here>", "task", "t", acme.id, after={}), Actor.job("scan"), desk.now)
    for text in (
        desk.say(timeline, "acme"),
        desk.say(show, ref=Ref("account", acme.id), person=desk.person(Role.VIEWER)),
    ):
        assert "<!" not in text
        assert "<@U1>" not in text
        assert "&lt;!channel&gt;" in text


# ---------------------------------------------------------------- every verb has a sentence


def written_verbs() -> set[str]:
    """Every `subject.verb` that stands in storage or rules, those built of two parts included."""
    found = {f"alert.{verb}" for verb in alert_verbs()} | {f"offer.{state}" for state in OfferState}
    found |= {"task.added", "risk.added", "milestone.undone", "journey.undone"}
    for package in ("storage", "rules"):
        for path in (ROOT / package).rglob("*.py"):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
            found |= {text for text in texts if isinstance(text, str) and VERB.fullmatch(text)}
            found |= set(second_parts(tree))
    subjects = {verb.partition(".")[0] for verb in subject_verbs()}
    return {verb for verb in found if verb.partition(".")[0] in subjects | set(SUBJECTS)}


def subject_verbs() -> Iterator[str]:
    """The verbs that `Change` is given in plain text along with an account."""
    for path in (ROOT / "storage").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Change":
                has_account = len(node.args) > 3 or any(each.arg == "account_id" for each in node.keywords)
                if has_account and node.args and isinstance(node.args[0], ast.Constant):
                    yield str(node.args[0].value)


def second_parts(tree: ast.AST) -> Iterator[str]:
    """Verbs of tasks and risks, named by their second part in the intents that change them."""
    subjects = {"ChangeTask": "task", "ChangeRisk": "risk"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in subjects:
            texts = [each.value for each in node.args if isinstance(each, ast.Constant)]
            yield from (f"{subjects[node.func.id]}.{text}" for text in texts if isinstance(text, str))


def alert_verbs() -> Iterator[str]:
    """The transitions of alerts."""
    for node in ast.walk(ast.parse((ROOT / "rules/alerts/alerts.py").read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "_change":
            yield from (str(each.value) for each in node.args[1:2] if isinstance(each, ast.Constant))
    yield "opened"


def entry(verb: str, kind: str = "", **facts: object) -> Entry:
    row = AuditRow(workspace_id="w", at=NOW, actor_kind="job", actor_id="scan", verb=verb, object_kind=kind,
                   object_id="x", after=facts)  # fmt: skip
    return Entry(row, "Milepost")


def test_every_verb_that_storage_writes_about_an_account_has_a_sentence():
    verbs = written_verbs()
    assert len(verbs) > 30
    unknown = sorted(verb for verb in verbs if "made a change" in find_sentence(Reader("en-US"), entry(verb)))
    assert unknown == []
    subjects = {verb.partition(".")[0] for verb in subject_verbs()}
    assert subjects - set(SUBJECTS) - OF_NO_ACCOUNT == set()


def test_a_journey_taken_back_and_a_step_taken_back_are_told_apart():
    gone = entry("journey.undone")
    gone.row.after, gone.row.before = None, {"name": "Onboarding"}
    assert find_sentence(Reader("en-US"), gone) == "took the new journey Onboarding back"
    assert find_sentence(Reader("en-US"), entry("journey.undone")) == "took the last step of the journey back"


def test_an_unknown_verb_is_told_neutrally():
    assert find_sentence(Reader("en-US"), entry("dream.dreamt")) == "made a change (dream.dreamt)"
    assert find_sentence(Reader("en-US"), entry("import", "dreams")) == "imported a row"


@pytest.mark.parametrize("kind", list(AlertKind))
def test_every_kind_of_alert_has_words(desk: Desk, kind: AlertKind):
    acme = desk.add_account("Acme")
    episode = add_episode(desk.tx, acme.id, kind=kind)
    change = Change("alert.opened", "episode", episode.id, acme.id, after={})
    record(desk.tx, change, Actor.job("scan"), desk.now)
    assert "Milepost raised an alert: " in desk.say(timeline, "acme alerts")
