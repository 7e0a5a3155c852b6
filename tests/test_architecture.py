"""The plan of the house, checked: sizes, docstrings, names, lazy imports, and a workspace in every table."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.schema import METADATA

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("bot", "commands", "library", "pipeline", "playground", "rules", "storage", "words")
MODULE_LINES = 350
FUNCTION_LINES = 40
BANNED_NAMES = {"utils", "util", "helpers", "manager", "service", "services", "common", "misc", "base"}
# Imports that cost too much at start-up, each allowed in the one place that needs it.
LAZY_IMPORTS = {
    ("storage/revision.py", "alembic"),
    ("bot/serving.py", "bot"),  # starlette and uvicorn, only for HTTP
    ("commands/blocks/ledger_picture.py", "matplotlib"),
}
# Tables above all workspaces.
UNSCOPED_TABLES = {"workspaces", "leases"}


def modules() -> list[Path]:
    """Every module of the application, migrations aside."""
    found = (path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
    return sorted(path for path in found if "versions" not in path.parts)


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method, nested ones too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@pytest.fixture(params=modules(), ids=lambda path: str(path.relative_to(ROOT)))
def module(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


def test_a_module_fits_its_room(module: Path):
    text = module.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MODULE_LINES
    long = [node.name for node in functions(ast.parse(text)) if (node.end_lineno or 0) - node.lineno >= FUNCTION_LINES]
    assert long == []


def test_a_module_and_its_public_names_say_what_they_are(module: Path):
    tree = ast.parse(module.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree)
    public = [
        node
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not node.name.startswith("_")
    ]
    assert [node.name for node in public if not ast.get_docstring(node)] == []


def test_imports_stand_at_the_top_but_for_the_named_slow_ones(module: Path):
    name = str(module.relative_to(ROOT))
    inside = {
        (name, imported.split(".")[0])
        for node in functions(ast.parse(module.read_text(encoding="utf-8")))
        for statement in ast.walk(node)
        if isinstance(statement, ast.Import | ast.ImportFrom)
        for imported in ([statement.module or ""] if isinstance(statement, ast.ImportFrom) else _names(statement))
    }
    assert inside - LAZY_IMPORTS == set()


def _names(statement: ast.Import) -> list[str]:
    return [each.name for each in statement.names]


def test_a_package_init_holds_only_its_docstring(module: Path):
    if module.name == "__init__.py":
        body = ast.parse(module.read_text(encoding="utf-8")).body
        assert len(body) == 1


def test_names_say_a_subject(module: Path):
    assert not BANNED_NAMES & set(module.relative_to(ROOT).with_suffix("").parts)


def test_open_work_lives_in_issues_not_in_comments(module: Path):
    words = {"TODO", "FIXME", "XXX", "HACK", "NotImplementedError"}
    assert not words & set(module.read_text(encoding="utf-8").replace(":", " ").replace("(", " ").split())


def test_every_table_belongs_to_a_workspace():
    missing = {table.name for table in METADATA.sorted_tables if "workspace_id" not in table.columns}
    assert missing == UNSCOPED_TABLES


def test_the_floors_hold():
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
