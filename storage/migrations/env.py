"""Alembic's entry: runs the steps on the connection that `storage.revision` hands over."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from sqlalchemy import Enum
from sqlmodel.sql.sqltypes import AutoString

from storage.schema import METADATA


def render_item(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """What is stored as text is a String to the steps: SQLModel's text, and choices, whose members are the code's."""
    if kind == "type" and isinstance(item, AutoString):
        return "sa.String()"
    if kind == "type" and isinstance(item, Enum):
        return f"sa.String(length={item.length})"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,  # SQLite cannot alter a table in place
    compare_type=True,
    render_item=render_item,
)
with context.begin_transaction():
    context.run_migrations()
