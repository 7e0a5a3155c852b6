"""`milepost outbox`: what is stuck is listed, shown, sent again and dropped; mistakes are told in one line."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from sqlmodel import select

from bot.main import main
from rules.records import Enqueue
from storage.audit import AuditRow
from storage.db import Database
from storage.delivery.outbox import OutboxRow, enqueue
from storage.people.workspaces import get_or_create_sole
from storage.revision import upgrade
from tests.conftest import NOW


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Database:
    url = f"sqlite:///{tmp_path / 'milepost.db'}"
    monkeypatch.setenv("MILEPOST_DATABASE_URL", url)
    database = Database(url)
    upgrade(database)
    return database


def fill(database: Database) -> list[str]:
    """Three messages: one waits, two are dead; their ids."""
    with database.write() as session:
        workspace_id = get_or_create_sole(session, NOW).id
    with database.writing(workspace_id) as tx:
        enqueue(tx, [Enqueue("note", name, channel=f"C{name}") for name in "123"], NOW)
        rows = list(tx.session.exec(select(OutboxRow).where(OutboxRow.workspace_id == workspace_id)))
        for row in rows[1:]:
            row.state, row.error = "dead", "is_archived [bold]"
    return [row.id for row in sorted(rows, key=lambda row: row.seq)]


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """Exit code, and what it says on either stream."""
    with pytest.raises(SystemExit) as ended:
        main(["outbox", *arguments])
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out + said.err


def states(database: Database) -> list[str]:
    with database.read() as session:
        return [row.state for row in sorted(session.exec(select(OutboxRow)), key=lambda row: row.seq)]


def test_an_empty_outbox_says_so(database: Database, capsys: pytest.CaptureFixture[str]):
    code, said = run(capsys, "list")
    assert (code, said.splitlines()) == (0, ["Nothing is stuck.", "0 wait, 0 could not be sent"])


def test_messages_are_listed_for_people_and_for_machines(database: Database, capsys: pytest.CaptureFixture[str]):
    ids = fill(database)
    code, said = run(capsys, "list", "--state", "dead")
    assert code == 0
    assert [id_[:12] in said for id_ in ids] == [False, True, True]
    assert "is_archived" in said
    assert "[bold]" in said
    rows = json.loads(run(capsys, "list", "--json")[1])
    assert [(row["id"], row["state"]) for row in rows] == list(zip(ids, ["queued", "dead", "dead"], strict=True))
    assert json.loads(run(capsys, "list", "--channel", "C2", "--json")[1])[0]["channel"] == "C2"


def test_one_message_is_shown_by_the_beginning_of_its_id(database: Database, capsys: pytest.CaptureFixture[str]):
    ids = fill(database)
    code, said = run(capsys, "show", ids[1][:12])
    assert code == 0
    assert ids[1] in said
    assert json.loads(run(capsys, "show", ids[1], "--json")[1])["error"] == "is_archived [bold]"


def test_messages_are_sent_again(database: Database, capsys: pytest.CaptureFixture[str]):
    ids = fill(database)
    assert run(capsys, "requeue", ids[1]) == (0, "1 message to be sent again.\n")
    assert states(database) == ["queued", "queued", "dead"]
    assert run(capsys, "requeue", "--channel", "C3") == (0, "1 message to be sent again.\n")
    assert run(capsys, "requeue", "--all") == (1, "0 messages to be sent again.\n")
    with database.read() as session:
        assert [line.verb for line in session.exec(select(AuditRow))] == ["outbox.requeued"] * 2


def test_messages_are_dropped_when_sure(
    database: Database, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    fill(database)
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert run(capsys, "drop", "--all")[0] == 1
    assert states(database) == ["queued", "dead", "dead"]
    assert run(capsys, "drop", "--all", "--yes") == (0, "2 messages dropped.\n")
    assert states(database) == ["queued", "cancelled", "cancelled"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["requeue"], "Say which"),
        (["requeue", "x", "--all"], "Say which"),
        (["requeue", "nope"], "There is no message nope"),
        (["show", "nope"], "There is no message nope"),
        (["list", "--state", "lost"], "There is no state lost"),
        (["list", "--workspace", "w9"], "There is no workspace w9"),
    ],
)
def test_a_mistake_is_told_in_one_line(
    database: Database, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
):
    fill(database)
    code, told = run(capsys, *arguments)
    assert code == 2
    assert said in told
    assert len(told.splitlines()) == 1


def test_only_what_could_not_be_sent_is_changed(database: Database, capsys: pytest.CaptureFixture[str]):
    ids = fill(database)
    code, told = run(capsys, "requeue", ids[0])
    assert code == 2
    assert "is queued" in told
