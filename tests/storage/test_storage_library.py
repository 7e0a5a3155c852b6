"""The library's journey templates: what ships can be used, and a broken file is named with its entry."""

from __future__ import annotations

from pathlib import Path

import pytest

from rules.records import Lane
from rules.success.templates import Template
from storage.library import find_template, list_templates, read_template
from storage.library_files import LibraryError

FILE = """
version: 1
name: {en: Test}
summary: {en: For tests}
stages:
  - key: first
    name: {en: First, zh_Hans: 第一}
    planned_days: 10
    milestones:
      - {key: kick-off, name: {en: Kick-off}, lane: ours, days: 2}
  - key: last
    name: {en: Last}
"""


def test_three_templates_ship_the_standard_one_first():
    assert [each.key for each in list_templates()] == ["standard", "light", "on-premises"]
    assert find_template("light") is list_templates()[1]
    assert find_template("heavy") is None
    stages = [stage.names["en"] for stage in list_templates()[0].stages]
    assert stages == ["Purchase", "Onboarding", "Adoption", "Success", "Engagement", "Renewal"]


@pytest.mark.parametrize("template", list_templates(), ids=lambda each: each.key)
def test_every_name_is_there_in_three_languages_and_every_lane_is_walked(template: Template):
    milestones = [each for stage in template.stages for each in stage.milestones]
    names = [template.names, template.summaries, *(each.names for each in (*template.stages, *milestones))]
    assert all(set(each) == {"en", "zh_Hans", "zh_Hant"} for each in names)
    assert {each.lane for each in milestones} == set(Lane)
    assert all(each.days <= (stage.planned_days or 90) + 60 for stage in template.stages for each in stage.milestones)


def write(folder: Path, text: str) -> Path:
    path = folder / "mine.yml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_becomes_a_template_named_by_it(tmp_path: Path):
    template = read_template(write(tmp_path, FILE))
    assert (template.key, template.version, template.stages[0].names["zh_Hans"]) == ("mine", 1, "第一")
    assert list_templates(tmp_path) == (template,)


@pytest.mark.parametrize(
    ("right", "wrong", "place"),
    [
        ("days: 2", "days: -2", "stages › first › milestones › kick-off › days"),
        ("lane: ours", "lane: nobody", "stages › first › milestones › kick-off › lane"),
        ("name: {en: Last}", "name: {zh_Hans: 最后}", "stages › last › name › en"),
        ("key: last", "key: first", "first stands more often"),
        ("    planned_days: 10\n", "", "only the last stage"),
        ("version: 1", "versoin: 1", "versoin"),
        ("key: first", "key: First Stage", "stages › First Stage › key"),
        (FILE, "- nothing", "the whole file"),
        (FILE, "a: [", "cannot be read"),
    ],
)
def test_a_broken_file_is_named_with_its_entry(tmp_path: Path, right: str, wrong: str, place: str):
    with pytest.raises(LibraryError) as broken:
        read_template(write(tmp_path, FILE.replace(right, wrong, 1)))
    assert "mine.yml" in str(broken.value)
    if place == "versoin":
        assert "version" in str(broken.value)
    else:
        assert place in str(broken.value)
