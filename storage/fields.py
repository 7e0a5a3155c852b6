"""Field words for the tables: keys, references, moments, money. Owns column spelling only."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Enum, Table
from sqlmodel import Field, SQLModel

from storage.types import ExactDecimal, UtcDateTime, new_id

# Set before the first table is declared (each table module imports this one), so that every constraint has a
# name Alembic can drop on SQLite.
SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


def table_of(row: type[SQLModel]) -> Table:
    """The table that rows of a class stand in; SQLModel sets `__table__`, but its types do not say so."""
    return SQLModel.metadata.tables[str(row.__tablename__)]


def key() -> Any:
    """Primary key: 32 hex digits made in the process."""
    return Field(default_factory=new_id, primary_key=True)


def workspace(*, is_key: bool = False, has_index: bool = True) -> Any:
    """The workspace the row belongs to. Without an index of its own where rows are found by other ones: SQLite takes
    all indexes for equally telling, and then looks through the whole workspace.
    """
    is_indexed = has_index and not is_key
    return Field(foreign_key="workspaces.id", index=is_indexed, primary_key=is_key, ondelete="CASCADE")


def account(*, is_key: bool = False) -> Any:
    """The account the row belongs to; gone with it."""
    return Field(foreign_key="accounts.id", index=not is_key, primary_key=is_key, ondelete="CASCADE")


def moment(**more: Any) -> Any:
    """A moment in UTC."""
    return Field(sa_type=UtcDateTime, **more)


def exact(**more: Any) -> Any:
    """An exact decimal number."""
    return Field(sa_type=ExactDecimal, **more)


def choice(kind: type[StrEnum], **more: Any) -> Any:
    """One of a closed set, stored as its value in plain text, so that a new member needs no migration.

    Unknown text raises `LookupError`, on the way in and on the way out.
    """
    as_text = Enum(
        kind,
        native_enum=False,
        create_constraint=False,
        length=32,
        validate_strings=True,
        values_callable=lambda members: [each.value for each in members],
    )
    return Field(sa_type=as_text, **more)


def json_value(**more: Any) -> Any:
    """A JSON document."""
    return Field(sa_type=JSON, **more)
