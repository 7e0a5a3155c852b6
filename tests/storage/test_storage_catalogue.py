"""The catalogue of metrics in `library/`: whole, and clear about what is wrong with it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from storage.catalogue import FOLDER, read_catalogue
from storage.library_files import LibraryError
from words.names import slug


def test_the_catalogue_covers_every_step_in_three_languages():
    catalogue = read_catalogue()
    assert [step.key for step in catalogue.steps] == [
        "acquire", "convert", "adopt", "support", "operate", "people", "repurchase",
    ]  # fmt: skip
    for key, metric in catalogue.by_key.items():
        assert key == slug(metric.name.en)
        assert all(sign >= "\u4e00" or sign in "NPS-" for sign in metric.name.hans + metric.name.hant)


@pytest.mark.parametrize(
    ("text", "industries"),
    [
        ("Retail & e-commerce", {"retail"}),
        ("跨境电商", {"retail"}),
        ("SaaS", {"software"}),
        ("Fintech / software", {"finance", "software"}),
        ("Bankruptcy law", set()),
        ("", set()),
    ],
)
def test_industries_are_found_in_free_text(text: str, industries: set[str]):
    assert read_catalogue().find_industries(text) == industries


@pytest.mark.parametrize(
    ("name", "old", "new", "told"),
    [
        ("support.yml", "unit: min", "units: min", "support.yml: metrics › handling time › units"),
        ("support.yml", "direction: down", "direction: sideways", "support.yml: metrics › handling time › direction"),
        ("support.yml", "benchmark: none", "benchmark: {low: 1, high: 2}", "source"),
        ("support.yml", "zh_Hant: 處理時長", "zh_Hant: 轉化率", "names another metric"),
        (
            "acquire.yml",
            "industries: [retail, education, finance]",
            "industries: [magic]",
            "“magic” is not in industries.yml",
        ),
        ("support.yml", "step: support", "step: [", "support.yml cannot be read"),
        ("industries.yml", "industries:", "industrys:", "industries.yml: industries"),
    ],
)
def test_a_fault_names_the_file_and_the_entry(tmp_path: Path, name: str, old: str, new: str, told: str):
    folder = tmp_path / "metrics"
    shutil.copytree(FOLDER, folder)
    text = (folder / name).read_text(encoding="utf-8").replace('unit: "min"', "unit: min")
    assert old in text
    (folder / name).write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(LibraryError) as refused:
        read_catalogue(folder)
    assert told in str(refused.value)


def test_a_missing_folder_is_told(tmp_path: Path):
    with pytest.raises(LibraryError, match=r"industries\.yml cannot be read"):
        read_catalogue(tmp_path)


def test_a_benchmark_with_a_source_is_taken(tmp_path: Path):
    folder = tmp_path / "metrics"
    shutil.copytree(FOLDER, folder)
    path = folder / "support.yml"
    wanted = "benchmark: {low: 3, high: 6, source: own survey 2025}"
    path.write_text(path.read_text(encoding="utf-8").replace("benchmark: none", wanted, 1), encoding="utf-8")
    metric = read_catalogue(folder).find("handling-time")
    assert metric is not None
    assert metric.benchmark != "none"
    assert (metric.benchmark.low, metric.benchmark.source) == (3, "own survey 2025")
