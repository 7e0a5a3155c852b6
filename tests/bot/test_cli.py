"""The command line: jobs by hand and over the past, errors in one line, a server that cannot start says why."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import structlog
from rich.console import Console
from sqlmodel import select

from bot.cli.jobs import _tabulate_alerts, job
from bot.cli.manifest import manifest
from bot.demo.sample.company import make_company
from bot.demo.sample.files import write_history
from bot.main import main
from pipeline.imports.mapping import Kind
from pipeline.imports.run import Job, run_import
from pipeline.replay import Replay, ReplayedAlert
from rules.errors import UserError
from rules.records import AlertKind
from storage.alerts.alerts import EpisodeRow
from storage.db import Database
from storage.delivery.outbox import OutboxRow
from storage.health.health import HealthScoreRow
from storage.people.workspaces import get_or_create_sole
from storage.revision import upgrade

TODAY = date(2026, 3, 4)


@pytest.fixture(autouse=True)
def _logs() -> Iterator[None]:
    """`milepost run` sends log lines to the stream of its process; give the tests after it their own back."""
    root = logging.getLogger()
    names = ("", "alembic", "apscheduler", "slack_bolt", "slack_sdk", "aiohttp.access", "uvicorn.access")
    handlers, levels = list(root.handlers), {name: logging.getLogger(name).level for name in names}
    yield
    root.handlers[:] = handlers
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Database:
    """The database the commands find in their environment."""
    url = f"sqlite:///{tmp_path / 'milepost.db'}"
    for name in ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET"):
        monkeypatch.delenv(f"MILEPOST_{name}", raising=False)
    monkeypatch.setenv("MILEPOST_DATABASE_URL", url)
    return Database(url)


@pytest.fixture
def company(database: Database, tmp_path: Path) -> Database:
    """The sample company, imported."""
    upgrade(database)
    now = datetime(2026, 3, 4, 5, tzinfo=UTC)
    with database.write() as session:
        workspace_id = get_or_create_sole(session, now).id
    files = write_history(make_company(3, TODAY, ("a@example.com",)), tmp_path / "files")
    for kind, path in files.items():
        run_import(database, workspace_id, Job(Kind(kind), path), now)
    return database


def count(database: Database, table: type[HealthScoreRow | EpisodeRow | OutboxRow]) -> int:
    """How many rows a table has."""
    with database.read() as session:
        return len(session.exec(select(table)).all())


def test_a_job_run_as_of_a_day_scores_that_day(company: Database, capsys: pytest.CaptureFixture[str]):
    job("daily", at=TODAY.isoformat())
    with company.read() as session:
        days = {row.day for row in session.exec(select(HealthScoreRow))}
    assert days == {TODAY}
    assert "daily" in capsys.readouterr().out


def test_a_replay_tells_what_would_have_come_and_changes_nothing(company: Database, capsys: pytest.CaptureFixture[str]):
    job("daily", since=(TODAY - timedelta(days=6)).isoformat(), until=TODAY.isoformat())
    told = capsys.readouterr().out
    assert TODAY.isoformat() in told
    assert "silence" in told
    assert "nothing was sent" in told
    assert [count(company, table) for table in (HealthScoreRow, EpisodeRow, OutboxRow)] == [0, 0, 0]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"at": "someday"}, "not a moment"),
        ({"since": "2026-03-05", "until": "2026-03-01"}, "before the first"),
        ({"until": "2026-03-01"}, "Give both days"),
    ],
)
def test_a_job_with_odd_days_says_how_to_write_them(database: Database, options: dict[str, str], words: str):
    with pytest.raises(UserError, match=words):
        job("daily", **options)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["job", "weekly"], "There is no job weekly"),
        (["run"], "There is no Slack token"),
        (["import", "accounts", "no-such-file.csv"], "no-such-file.csv"),
        (["import", "people", "x.csv"], "There is no kind people"),
    ],
)
def test_an_error_is_one_sentence_and_exit_code_2(
    database: Database, arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    told = capsys.readouterr().err
    assert ended.value.code == 2
    assert words in told
    assert "Traceback" not in told


def test_the_manifest_can_be_printed_for_http(capsys: pytest.CaptureFixture[str]):
    manifest(url="https://milepost.example.com")
    told = capsys.readouterr().out
    assert "https://milepost.example.com" in told
    assert "socket_mode_enabled: false" in told


def test_a_name_that_looks_like_markup_is_shown_as_it_is(capsys: pytest.CaptureFixture[str]):
    alert = ReplayedAlert(TODAY, "Acme [/red] \x1b[2J", AlertKind.SILENCE, "high", None, None, None)
    Console(width=200).print(_tabulate_alerts(Replay((), (alert,))))
    said = capsys.readouterr().out
    assert "Acme [/red]" in said
    assert "\x1b" not in said
