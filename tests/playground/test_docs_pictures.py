"""The pictures of the README: what their script types exists, and each is there at a sensible size."""

from __future__ import annotations

import importlib.util
import sys
from datetime import date
from pathlib import Path
from types import ModuleType

import pytest

from bot.demo.sample.company import make_company
from bot.demo.team import list_owner_emails
from bot.registry import SLICES
from bot.wiring import with_help

SCRIPT = Path(__file__).parents[2] / "docs" / "pictures.py"
MOST_BYTES = 250_000


@pytest.fixture(scope="module")
def pictures() -> ModuleType:
    """The script, loaded but not run."""
    spec = importlib.util.spec_from_file_location("docs_pictures", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["docs_pictures"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_command_of_a_picture_exists(pictures: ModuleType):
    known = {command.name for each in with_help(SLICES) for command in each.commands}
    typed = {each.command.split()[0] for each in pictures.PICTURES if each.command}
    assert typed
    assert typed <= known


def test_every_customer_a_picture_names_is_one_of_the_sample(pictures: ModuleType):
    company = make_company(pictures.SEED, pictures.START.date(), list_owner_emails())
    names = pictures.name_customers(company)
    sample = {each.name for each in make_company(pictures.SEED, date(2026, 3, 9), list_owner_emails()).accounts}
    assert set(names.values()) <= sample
    for each in pictures.PICTURES:
        assert "{" not in each.command.format_map(names)


def test_each_picture_is_there_and_no_other(pictures: ModuleType):
    found = {path.stem: path.stat().st_size for path in pictures.IMAGES.glob("*.png")}
    assert set(found) == {each.name for each in pictures.PICTURES}
    assert max(found.values()) < MOST_BYTES
