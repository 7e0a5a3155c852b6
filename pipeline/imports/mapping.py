"""Mapping files: how somebody else's CSV becomes ours. Owns the YAML's shape and errors; refuses to read the CSV."""

from __future__ import annotations

from collections.abc import Hashable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from rules.errors import IngestError


class Kind(StrEnum):
    """What a file is about."""

    ACCOUNTS = "accounts"
    CONTRACTS = "contracts"
    TARGETS = "targets"
    USAGE = "usage"
    TICKETS = "tickets"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Derived(_Strict):
    """A date worked out where the cell is empty: `from` another date field, plus months and days."""

    start: str = Field(alias="from")
    months: int = Field(default=0, ge=-1200, le=1200)
    days: int = Field(default=0, ge=-36_600, le=36_600)


class Join(_Strict):
    """A value looked up: `through: contracts` takes the account of the imported contract named in the cell; a
    `file` (beside the mapping or the data) is read once, `match` is its key column and `take` the column to use.
    """

    through: Literal["contracts"] | None = None
    file: str = ""
    match: str = ""
    take: str = ""

    @model_validator(mode="after")
    def _goes_one_way(self) -> Join:
        in_file = (self.file, self.match, self.take)
        if any(in_file) if self.through else not all(in_file):
            raise ValueError("write either `through: contracts`, or all of `file`, `match` and `take`")
        return self


class Skip(_Strict):
    """Rows to leave out without calling them bad: those whose `column` holds `equals`."""

    column: str
    equals: str
    because: str


def _one_or_more(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _delimiter(value: object) -> object:
    return "\t" if value in ("tab", "\\t") else value


class FileMapping(_Strict):
    """One mapping file. `columns`: our field → their column; fields not named are looked for under our own name.

    `values`: per field, their value → ours. `defaults`: per field, what stands when there is no such column or the
    cell is empty. `dates`: strptime formats tried in turn; ISO dates are always understood. `source` names the
    system, so that two systems may use the same message ids. `core_features`: the usage metrics that count for
    breadth; all of them if it is not given.
    """

    kind: Kind | None = None
    about: str = ""
    source: str = Field(default="file", min_length=1, max_length=80)
    encoding: str = "utf-8"
    delimiter: Annotated[str, BeforeValidator(_delimiter), Field(max_length=1)] = ""
    columns: dict[str, str] = {}
    values: dict[str, dict[str, str]] = {}
    defaults: dict[str, str] = {}
    dates: Annotated[tuple[str, ...], BeforeValidator(_one_or_more)] = ()
    derive: dict[str, Derived] = {}
    joins: dict[str, Join] = {}
    skip: tuple[Skip, ...] = ()
    core_features: tuple[str, ...] | None = None

    @property
    def is_through_contracts(self) -> bool:
        """Whether the account is found by the contract that the cell names."""
        join = self.joins.get("account")
        return join is not None and join.through is not None


def read_mapping(path: Path, kind: Kind) -> FileMapping:
    """Read and check a mapping file. Raises `IngestError` naming what is wrong and where."""
    try:
        content = yaml.load(path.read_text(encoding="utf-8-sig"), Loader=_TextLoader)  # noqa: S506  # a SafeLoader
    except (OSError, UnicodeDecodeError) as error:
        raise IngestError("The mapping file {path} cannot be read: {why}.", path=path, why=error) from error
    except yaml.YAMLError as error:
        raise IngestError("The mapping file {path} is not YAML: {why}", path=path, why=error) from error
    if not isinstance(content or {}, dict):
        raise IngestError("The mapping file {path} must consist of lines like `columns:`.", path=path)
    try:
        mapping = FileMapping.model_validate(content or {})
    except ValidationError as error:
        raise IngestError("{path}: {why}. Nothing was imported.", path=path.name, why=_explain(error)) from error
    if mapping.kind not in (None, kind):
        raise IngestError("{path} maps {its}, not {kind}.", path=path.name, its=mapping.kind, kind=kind.value)
    return mapping


def _explain(error: ValidationError) -> str:
    first = error.errors()[0]
    where = ".".join(map(str, first["loc"])) or "the top level"
    if first["type"] == "extra_forbidden":
        known = f"; known are {', '.join(FileMapping.model_fields)}" if len(first["loc"]) == 1 else ""
        return f"{where} is nothing a mapping file knows{known}"
    return f"{where}: {first['msg'].removeprefix('Value error, ')}"


class _TextLoader(yaml.SafeLoader):
    """Keeps scalars such as `yes`, `1` or `2024-01-01` as the text that stands in the file; refuses a key twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002  # PyYAML's signature
        seen: set[str] = set()
        for key, _value in node.value:
            if key.value in seen:
                raise yaml.MarkedYAMLError(problem=f"{key.value} stands twice", problem_mark=key.start_mark)
            seen.add(str(key.value))
        return super().construct_mapping(node, deep=deep)


# Without implicit resolvers every plain scalar stays a string; pydantic then reads the numbers it needs.
_TextLoader.yaml_implicit_resolvers = {}
