"""Looking many values up at once, the same on both databases. Owns the dialect difference, nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Text, any_, func, literal, select
from sqlalchemy.orm import Mapped

from storage.db import Tx


def is_among(tx: Tx, column: ColumnElement[Any] | Mapped[Any], values: Iterable[str]) -> ColumnElement[bool]:
    """`column IN values` with a single parameter: an IN list of a thousand costs more to compile than to run."""
    found = list(values)
    if tx.is_postgres:
        return column == any_(literal(found, ARRAY(Text)))
    each = func.json_each(json.dumps(found)).table_valued("value")
    return column.in_(select(each.c.value))
