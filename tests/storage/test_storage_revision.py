"""A database is brought to the tables of the code, and a newer one is left alone."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

import storage.revision
from storage.db import Database
from storage.errors import SchemaError
from storage.revision import HEAD, check, current_revision, upgrade
from storage.schema import METADATA
from tests.conftest import add_workspace


@pytest.fixture(params=["sqlite", "postgres"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    if request.param == "sqlite":
        database = Database(f"sqlite:///{tmp_path / 'new' / 'empty.db'}")
        yield database
        database.close()
        return
    server: str = request.getfixturevalue("postgres")
    name = f"empty_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    database = Database(server.replace("postgresql://", "postgresql+psycopg://", 1).replace("/postgres?", f"/{name}?"))
    yield database
    database.close()
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_an_empty_database_becomes_what_the_code_describes(empty: Database):
    assert current_revision(empty) is None
    with pytest.raises(SchemaError, match="revision none"):
        check(empty)
    upgrade(empty)
    assert current_revision(empty) == HEAD
    check(empty)
    with empty.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "render_as_batch": True})
        assert compare_metadata(context, METADATA) == []
        assert set(inspect(connection).get_table_names()) == {*METADATA.tables, "alembic_version"}


def test_an_upgrade_of_what_is_current_changes_nothing(empty: Database):
    upgrade(empty)
    workspace_id = add_workspace(empty)
    upgrade(empty)
    with empty.read() as session:
        assert session.connection().execute(text("SELECT id FROM workspaces")).scalar() == workspace_id


def test_a_database_of_a_newer_version_is_refused_in_plain_words(empty: Database):
    upgrade(empty)
    with empty.write() as session:
        session.connection().execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for act in (check, upgrade):
        with pytest.raises(SchemaError, match="newer Milepost"):
            act(empty)


def test_an_open_alert_per_subject_is_unique_in_an_upgraded_database(empty: Database):
    upgrade(empty)
    with empty.engine.connect() as connection:
        indexes = {each["name"]: each for each in inspect(connection).get_indexes("alert_episodes")}
    assert indexes["uq_alert_episodes_open"]["unique"]
    options = indexes["uq_alert_episodes_open"].get("dialect_options") or {}
    assert any("closed_at IS NULL" in str(value) for value in options.values())


def test_the_head_named_in_the_code_is_the_last_step():
    steps = ScriptDirectory(str(Path(storage.revision.__file__).parent / "migrations"))
    assert steps.get_current_head() == HEAD
