"""The library's journey templates: YAML files read into records. Owns their shape on disk; refuses to know what is done
with them (`rules.success.templates`).

`library/journeys/*.yml`, one template a file, named by its key. Read once, when first asked for.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from rules.records import Lane
from rules.success.templates import (
    LONGEST_OFFSET,
    CountsFrom,
    MilestoneTemplate,
    StageTemplate,
    Template,
)
from storage.library_files import LIBRARY, Strict, read_file

JOURNEYS = LIBRARY / "journeys"
NAME_LENGTH = 120
MOST_STAGES, MOST_MILESTONES = 12, 40

_Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$", max_length=60)]
_Name = Annotated[str, Field(min_length=1, max_length=NAME_LENGTH)]


class NamesIn(Strict):
    """A name in English and, where there is one, in Chinese."""

    en: _Name
    simplified: _Name | None = Field(default=None, alias="zh_Hans")
    traditional: _Name | None = Field(default=None, alias="zh_Hant")

    def to_names(self) -> dict[str, str]:
        """By language, those that are given."""
        return {language: name for language, name in self.model_dump(by_alias=True).items() if name}


class MilestoneIn(Strict):
    """One milestone of a file."""

    key: _Key
    name: NamesIn
    lane: Lane
    days: int = Field(ge=0, le=LONGEST_OFFSET)
    counts_from: CountsFrom = CountsFrom.STAGE
    required: bool = True

    def to_record(self) -> MilestoneTemplate:
        """As the rules know it."""
        names = self.name.to_names()
        return MilestoneTemplate(self.key, names, self.lane, self.days, self.counts_from, self.required)


class StageIn(Strict):
    """One stage of a file."""

    key: _Key
    name: NamesIn
    planned_days: int | None = Field(default=None, ge=1, le=LONGEST_OFFSET)
    milestones: tuple[MilestoneIn, ...] = Field(default=(), max_length=MOST_MILESTONES)

    def to_record(self) -> StageTemplate:
        """As the rules know it."""
        milestones = tuple(each.to_record() for each in self.milestones)
        return StageTemplate(self.key, self.name.to_names(), self.planned_days, milestones)


class TemplateIn(Strict):
    """A whole file."""

    version: int = Field(ge=1)
    name: NamesIn
    summary: NamesIn
    stages: tuple[StageIn, ...] = Field(min_length=1, max_length=MOST_STAGES)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        keys = [stage.key for stage in self.stages]
        keys += [each.key for stage in self.stages for each in stage.milestones]
        twice = sorted({key for key in keys if keys.count(key) > 1})
        if twice:
            raise ValueError(f"each key may stand once; {', '.join(twice)} stands more often")
        endless = [stage.key for stage in self.stages[:-1] if stage.planned_days is None]
        if endless:
            raise ValueError(f"only the last stage may go without planned_days, not {', '.join(endless)}")
        return self

    def to_record(self, key: str) -> Template:
        """As the rules know it."""
        stages = tuple(stage.to_record() for stage in self.stages)
        return Template(key, self.version, self.name.to_names(), self.summary.to_names(), stages)


@cache
def list_templates(folder: Path = JOURNEYS) -> tuple[Template, ...]:
    """Every template of the folder: the standard one first, then by key. Raises `LibraryError`."""
    found = [read_template(path) for path in sorted(folder.glob("*.yml"))]
    return tuple(sorted(found, key=lambda each: (each.key != "standard", each.key)))


def find_template(key: str) -> Template | None:
    """The template of the library with this key."""
    return next((each for each in list_templates() if each.key == key), None)


def read_template(path: Path) -> Template:
    """One file as a template, its key the file's name.

    Raises:
        LibraryError: the file is no YAML, or an entry of it is wrong; names both.
    """
    return read_file(path, TemplateIn).to_record(path.stem)
