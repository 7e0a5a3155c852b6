"""Mapping files: how somebody else's CSV becomes ours. Owns the YAML's shape and errors; refuses to read the CSV."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from rules.errors import IngestError

Kind = Literal["accounts", "contracts", "targets", "usage", "tickets"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Derived(_Strict):
    """A date worked out where the cell is empty: `from` another date field, plus months and days."""

    start: str = Field(alias="from")
    months: int = 0
    days: int = 0


class Join(_Strict):
    """A value looked up: `through: contracts` takes the account of the imported contract named in the cell; a
    `file` (beside the mapping or the data) is read once, `match` is its key column and `take` the column to use.
    """

    through: Literal["contracts"] | None = None
    file: str = ""
    match: str = ""
    take: str = ""


class Skip(_Strict):
    """Rows to leave out without calling them bad: those whose `column` holds `equals`."""

    column: str
    equals: str
    because: str


def _one_or_more(value: object) -> object:
    return [value] if isinstance(value, str) else value


class FileMapping(_Strict):
    """One mapping file. `columns`: our field → their column; fields not named are looked for under our own name.

    `values`: per field, their value → ours. `defaults`: per field, what stands when there is no such column or the
    cell is empty. `dates`: strptime formats tried in turn; ISO dates are always understood. `source` names the
    system, so that two systems may use the same message ids.
    """

    kind: Kind | None = None
    about: str = ""
    source: str = "file"
    encoding: str = "utf-8"
    delimiter: str = ""
    columns: dict[str, str] = {}
    values: dict[str, dict[str, str]] = {}
    defaults: dict[str, str] = {}
    dates: Annotated[tuple[str, ...], BeforeValidator(_one_or_more)] = ()
    derive: dict[str, Derived] = {}
    joins: dict[str, Join] = {}
    skip: tuple[Skip, ...] = ()
    core_features: tuple[str, ...] | None = None


def read_mapping(path: Path, kind: Kind) -> FileMapping:
    """Read and check a mapping file. Raises `IngestError` naming what is wrong and where."""
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_TextLoader)  # noqa: S506  # a SafeLoader
    except (OSError, UnicodeDecodeError) as error:
        raise IngestError("The mapping file {path} cannot be read: {why}.", path=path, why=error) from error
    except yaml.YAMLError as error:
        raise IngestError("The mapping file {path} is not YAML: {why}", path=path, why=error) from error
    try:
        mapping = FileMapping.model_validate(content or {})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the top level"
        raise IngestError("{path}: {where}: {why}.", path=path.name, where=where, why=first["msg"]) from error
    if mapping.kind not in (None, kind):
        raise IngestError("{path} maps {its}, not {kind}.", path=path.name, its=mapping.kind, kind=kind)
    return mapping


class _TextLoader(yaml.SafeLoader):
    """Keeps scalars such as `yes`, `1` or `2024-01-01` as the text that stands in the file."""


# Without implicit resolvers every plain scalar stays a string; pydantic then reads the numbers it needs.
_TextLoader.yaml_implicit_resolvers = {}
