"""The command line of imports: what people read, what machines read, and exit codes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
import typer
from sqlmodel import select
from typer.testing import CliRunner, Result

from bot.cli.imports import import_file
from bot.cli.moments import read_moment
from rules.errors import IngestError, UserError
from storage.accounts.accounts import AccountRow
from storage.db import Database

ACCOUNTS = "external_id,name,colour\nA1,Acme,red\nA2,[bold]Globex,blue\n"


class Desk:
    """A terminal with a fresh database."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.app = typer.Typer()
        self.app.command("import")(import_file)

    def write(self, name: str, content: str) -> str:
        path = self.folder / name
        path.write_text(content, encoding="utf-8")
        return str(path)

    def run(self, *arguments: str) -> Result:
        return CliRunner().invoke(self.app, arguments)

    def list_accounts(self) -> Sequence[str]:
        database = Database(f"sqlite:///{self.folder / 'milepost.db'}")
        with database.read() as session:
            names = session.exec(select(AccountRow.name).order_by("name")).all()
        database.close()
        return names


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setenv("MILEPOST_DATABASE_URL", f"sqlite:///{tmp_path / 'milepost.db'}")
    monkeypatch.chdir(tmp_path)
    return Desk(tmp_path)


def test_a_good_file_ends_with_0_and_a_summary(desk: Desk):
    done = desk.run("accounts", desk.write("accounts.csv", ACCOUNTS))
    assert done.exit_code == 0, done.output
    assert "accounts.csv: 2 rows of accounts: 2 new, 0 changed, 0 same." in done.output
    assert "Columns not used: colour" in done.output
    assert desk.list_accounts() == ["Acme", "[bold]Globex"]


def test_rejects_end_with_1_a_table_of_ten_and_where_to_mend_them(desk: Desk):
    rows = "".join(f"B{number},[red]{'x' * 130}\n" for number in range(12))
    done = desk.run("accounts", desk.write("accounts.csv", f"external_id,name\nA1,Acme\n{rows}"))
    assert done.exit_code == 1
    assert "13 rows of accounts: 1 new, 0 changed, 0 same, 12 rejected." in done.output
    assert done.output.count("more than 120 characters") == 10
    assert f"Rejected rows, with reasons: {desk.folder / 'accounts.rejected.csv'}" in done.output
    assert (desk.folder / "accounts.rejected.csv").read_text(encoding="utf-8-sig").count("[red]") == 12


def test_nothing_imported_ends_with_2(desk: Desk):
    assert desk.run("accounts", desk.write("accounts.csv", "external_id,name\nA1,\n")).exit_code == 2
    assert desk.list_accounts() == []


def test_a_header_alone_is_fine(desk: Desk):
    done = desk.run("accounts", desk.write("accounts.csv", "external_id,name\n"))
    assert done.exit_code == 0
    assert "only a header, no rows" in done.output


def test_a_dry_run_says_so_and_writes_nothing(desk: Desk):
    done = desk.run("accounts", desk.write("accounts.csv", ACCOUNTS + "A3,\n"), "--dry-run")
    assert done.exit_code == 1
    assert done.output.startswith("Dry run, nothing was written. accounts.csv: 3 rows of accounts: 2 new")
    assert desk.list_accounts() == []
    assert not (desk.folder / "accounts.rejected.csv").exists()


def test_json_is_for_machines(desk: Desk):
    path = desk.write("accounts.csv", "external_id,name\nA1,Acme\nA2,\n")
    done = desk.run("accounts", path, "--json", "--rejects", str(desk.folder / "bad.csv"), "--at", "2026-03-10")
    report = json.loads(done.stdout)
    assert (report["rows"], report["new"], report["changed"], report["same"], report["rejected"]) == (2, 1, 0, 0, 1)
    assert report["rejects"] == [{"line": 3, "column": "name", "reason": "it is empty, and needed"}]
    assert report["rejects_file"] == str(desk.folder / "bad.csv")


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        (["people", "x.csv"], UserError, "There is no kind people. Kinds: accounts, contracts"),
        (["accounts", "x.csv"], IngestError, "There is no file x.csv"),
        (["accounts", "x.csv", "--workspace", "w9"], UserError, "There is no workspace w9. Workspaces: none yet"),
        (["accounts", "x.csv", "--at", "soon"], UserError, "soon is not a moment like 2026-03-14"),
    ],
)
def test_what_cannot_be_is_an_error_for_the_command_line_to_show(
    desk: Desk, arguments: list[str], error: type[Exception], said: str
):
    done = desk.run(*arguments)
    assert isinstance(done.exception, error)
    assert said in str(done.exception)


def test_moments_are_read_in_the_workspaces_zone():
    assert read_moment("2026-03-14", "Asia/Tokyo") == datetime(2026, 3, 13, 21, tzinfo=UTC)
    assert read_moment("2026-03-14T09:30", "Europe/Berlin") == datetime(2026, 3, 14, 8, 30, tzinfo=UTC)
    assert read_moment("2026-03-14T09:30+05:00", "Europe/Berlin") == datetime(2026, 3, 14, 4, 30, tzinfo=UTC)
