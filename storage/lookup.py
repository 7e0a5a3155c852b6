"""Looking many values up at once, the same on both databases. Owns the dialect difference, nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ARRAY, CTE, ColumnElement, Text, any_, cast, func, literal, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped
from sqlalchemy.types import TypeEngine

from storage.db import Tx

_FEW = 10


def is_among(tx: Tx, column: ColumnElement[Any] | Mapped[Any], values: Iterable[str]) -> ColumnElement[bool]:
    """`column IN values`. Of many with a single parameter: an IN list of a thousand costs more to compile than to run;
    of a few, as the commands about one account ask, the list is what costs less.
    """
    found = list(values)
    if len(found) <= _FEW:
        return column.in_(found)
    if tx.is_postgres:
        return column == any_(literal(found, ARRAY(Text)))
    each = func.json_each(json.dumps(found)).table_valued("value")
    return column.in_(select(each.c.value))


def lay_table(tx: Tx, name: str, columns: Mapping[str, TypeEngine[Any]], rows: Iterable[Sequence[int | str]]) -> CTE:
    """Rows that a query joins like a table, with a single parameter. Laid out once, so that SQLite indexes them."""
    text = json.dumps([list(row) for row in rows], separators=(",", ":"))
    if tx.is_postgres:
        row = func.jsonb_array_elements(cast(literal(text, Text), JSONB)).table_valued("value").c.value
        cells = [cast(func.jsonb_extract_path_text(row, str(at)), kind) for at, kind in enumerate(columns.values())]
    else:
        row = func.json_each(text).table_valued("value").c.value
        cells = [cast(func.json_extract(row, f"$[{at}]"), kind) for at, kind in enumerate(columns.values())]
    named = (cell.label(column) for column, cell in zip(columns, cells, strict=True))
    return select(*named).cte(name).prefix_with("MATERIALIZED")
