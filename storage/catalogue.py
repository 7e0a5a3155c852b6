"""The catalogue of metrics that comes with Milepost: YAML of `library/metrics`, read once, checked, kept.

One file per business step, and `industries.yml` with the words that mean an industry. A CS lead edits them; a fault is
told with file and entry. Refuses to know what a workspace made of it (`storage.success.metrics`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from functools import cache, cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from rules.records import TargetKind
from storage.library_files import LIBRARY, LibraryError, Strict, read_file
from words.language import DEFAULT_LANGUAGE, get_language
from words.names import fold, slug

FOLDER = LIBRARY / "metrics"
INDUSTRIES = "industries.yml"
MONEY = "money"
"""The unit of amounts: shown in the workspace's currency."""

Text = Annotated[str, Field(min_length=1, max_length=80)]


class Names(Strict):
    """A name in every language that Milepost speaks."""

    en: Text
    hans: Text = Field(alias="zh_Hans")
    hant: Text = Field(alias="zh_Hant")

    def get(self, locale: str) -> str:
        """The name for a Slack locale."""
        return {"zh_Hans": self.hans, "zh_Hant": self.hant}.get(get_language(locale), self.en)

    def list_all(self) -> tuple[str, ...]:
        """Every name, English first."""
        return (self.en, self.hans, self.hant)


class Benchmark(Strict):
    """A range that is usual, and who says so. Without a source there is none."""

    low: Decimal
    high: Decimal
    source: Text

    @model_validator(mode="after")
    def _goes_up(self) -> Benchmark:
        if self.low >= self.high:
            raise ValueError("low must be less than high")
        return self


class Metric(Strict):
    """One metric. The key is the slug of its English name, so that files and people who type it mean the same.

    `unit`: "", "%", "money" or a short word. `direction`: which way is better. `lowest` and `highest`: what the number
    can be at all. `benchmark`: a usual range with its source; "none" says that nobody has one. `industries`: keys of
    `industries.yml`, empty for all. `departments`: whose number it is at the customer.
    """

    name: Names
    aliases: tuple[Text, ...] = ()
    unit: Annotated[str, Field(max_length=16)] = ""
    kind: TargetKind = TargetKind.LEVEL
    direction: Literal["up", "down"] = "up"
    lowest: Decimal | None = None
    highest: Decimal | None = None
    benchmark: Benchmark | Literal["none"]
    industries: tuple[str, ...] = ()
    departments: tuple[Text, ...] = Field(min_length=1)
    note: Annotated[str, Field(max_length=300)] = ""

    @cached_property
    def key(self) -> str:
        """What rows call it."""
        return slug(self.name.en)

    def list_names(self) -> tuple[str, ...]:
        """Every name it goes by, the English one first."""
        return (*self.name.list_all(), *self.aliases)


class _StepFile(Strict):
    step: Annotated[str, Field(pattern=r"^[a-z_]+$")]
    position: int
    name: Names
    metrics: tuple[Metric, ...] = Field(min_length=1)


class _Industry(Strict):
    key: Annotated[str, Field(pattern=r"^[a-z_]+$")]
    name: Names
    words: tuple[Text, ...] = Field(min_length=1)


class _IndustryFile(Strict):
    industries: tuple[_Industry, ...]


class Step(Strict):
    """A business step and its metrics, in the order of the file."""

    key: str
    name: Names
    metrics: tuple[Metric, ...]


class Catalogue(Strict):
    """Every step in its order, and the industries by key."""

    steps: tuple[Step, ...]
    industries: Mapping[str, _Industry]

    def find(self, key: str) -> Metric | None:
        """The metric with this key."""
        return self.by_key.get(key)

    @cached_property
    def by_key(self) -> dict[str, Metric]:
        """Every metric, step by step."""
        return {metric.key: metric for step in self.steps for metric in step.metrics}

    def find_industries(self, text: str) -> frozenset[str]:
        """The industries that a free text such as "Retail & e-commerce" or 电商 means."""
        padded = f" {fold(text)} "
        return frozenset(
            key for key, industry in self.industries.items() if any(_means(padded, word) for word in industry.words)
        )


def _means(padded: str, word: str) -> bool:
    """Chinese is written without spaces; other words must stand alone."""
    folded = fold(word)
    return (f" {folded} " if folded.isascii() else folded) in padded


@cache
def read_catalogue(folder: Path = FOLDER) -> Catalogue:
    """The catalogue in `folder`, read once. Raises `LibraryError`, naming the file and the entry."""
    industries = {each.key: each for each in read_file(folder / INDUSTRIES, _IndustryFile).industries}
    paths = sorted(path for path in folder.glob("*.yml") if path.name != INDUSTRIES)
    files = [(path, read_file(path, _StepFile)) for path in paths]
    files.sort(key=lambda each: each[1].position)
    _check(files, frozenset(industries))
    return Catalogue(
        steps=tuple(Step(key=file.step, name=file.name, metrics=file.metrics) for _path, file in files),
        industries=industries,
    )


def _check(files: list[tuple[Path, _StepFile]], industries: frozenset[str]) -> None:
    """Every name means one metric, and every industry is known. Raises `LibraryError`."""
    counted = Counter(name for _path, file in files for metric in file.metrics for name in _folded(metric))
    for path, file in files:
        for metric in file.metrics:
            place = f"metrics › {metric.name.en}"
            twice = next((name for name in sorted(_folded(metric)) if counted[name] > 1), "")
            unknown = next((each for each in metric.industries if each not in industries), "")
            if twice:
                reason = f"“{twice}” names another metric, too"
            elif unknown:
                reason = f"“{unknown}” is not in {INDUSTRIES}"
            else:
                continue
            raise LibraryError("{file}: {place}: {reason}", file=path.name, place=place, reason=reason)


def _folded(metric: Metric) -> set[str]:
    return {fold(name) for name in metric.list_names()}


def name_metric(key: str, locale: str = DEFAULT_LANGUAGE) -> str | None:
    """What the catalogue calls a metric in the language of `locale`; None where it has none of this key."""
    found = read_catalogue().find(key)
    return found.name.get(locale) if found else None
