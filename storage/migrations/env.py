"""Alembic's entry: runs the steps on the connection that `storage.revision` hands over."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from sqlmodel.sql.sqltypes import AutoString

from storage.schema import METADATA


def render_item(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """SQLModel's own name for a text column is nothing but a String."""
    return "sa.String()" if kind == "type" and isinstance(item, AutoString) else False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,  # SQLite cannot alter a table in place
    compare_type=True,
    render_item=render_item,
)
with context.begin_transaction():
    context.run_migrations()
