"""Closed sets are plain text in the database: the values, not the names, with no type of the database's own."""

from __future__ import annotations

from enum import StrEnum

import pytest
from sqlalchemy import Enum, inspect, text
from sqlalchemy.exc import StatementError
from sqlmodel import SQLModel, select

from rules.records import Role
from storage.db import Database, Tx
from storage.people.members import MemberRow
from storage.schema import METADATA
from tests.alert_rows import add_member


def choices() -> list[tuple[str, Enum]]:
    """Every column with a closed set, as "table.column"."""
    return [
        (str(column), column.type)
        for table in METADATA.sorted_tables
        for column in table.columns
        if isinstance(column.type, Enum)
    ]


def test_every_closed_set_is_stored_as_its_values_in_text():
    found = choices()
    assert "members.role" in dict(found)
    for name, kind in found:
        assert kind.enum_class is not None, name
        assert issubclass(kind.enum_class, StrEnum), name
        assert not kind.native_enum, name
        assert kind.enums == [member.value for member in kind.enum_class], name
        assert max(map(len, kind.enums)) <= kind.length, name


def test_no_field_of_a_closed_set_is_left_to_a_type_of_the_database():
    """A field annotated with a set has a column of `fields.choice`; SQLModel's own choice stores names."""
    rows = [mapper.class_ for mapper in SQLModel._sa_registry.mappers]
    wanted = {
        f"{row.__tablename__}.{name}"
        for row in rows
        for name, about in row.model_fields.items()
        for kind in (about.annotation, *getattr(about.annotation, "__args__", ()))
        if isinstance(kind, type) and issubclass(kind, StrEnum)
    }
    assert wanted == {name for name, _ in choices()}


def test_the_database_holds_the_value_and_no_type_of_its_own(tx: Tx, database: Database):
    add_member(tx, "U1", role=Role.LEAD)
    assert tx.session.execute(text("SELECT role FROM members")).scalar() == "lead"
    assert tx.session.exec(select(MemberRow.role).where(MemberRow.workspace_id == tx.workspace_id)).one() is Role.LEAD
    if tx.is_postgres:
        assert inspect(database.engine).get_enums() == []


def test_text_outside_the_set_is_refused_going_in_and_coming_out(tx: Tx):
    add_member(tx, "U1")
    tx.session.execute(text("UPDATE members SET role = 'emperor'"))
    with pytest.raises(LookupError, match="emperor"):
        tx.session.exec(select(MemberRow.role).where(MemberRow.workspace_id == tx.workspace_id)).all()
    with pytest.raises(StatementError, match="empress"):
        tx.session.execute(select(MemberRow.id).where(MemberRow.role == "empress"))
