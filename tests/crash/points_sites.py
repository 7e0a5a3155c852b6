"""Where the code commits, read from the code itself: each `with database.writing(...)` on the way of a message has a
name, "module:function" (with "/2" for the second one of a function), found again at run time by file and line.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import FrameType

ROOT = Path(__file__).resolve().parents[2]
WAY = ("pipeline/scan.py", "pipeline/announcing.py", "pipeline/wake.py", "pipeline/digest.py", "bot/scheduler.py")
"""With all of delivery and the handling of what people do."""
_OPENERS = frozenset({"writing", "_writing"})

Place = tuple[str, int]


@cache
def read_sites() -> Mapping[Place, str]:
    """The site of each line that belongs to the opening of a writing transaction on the way of a message."""
    found: dict[Place, str] = {}
    paths = [*(ROOT / each for each in WAY), ROOT / "bot/slack/handling.py", *ROOT.glob("bot/slack/delivery*.py")]
    for path in paths:
        for name, calls in _find_calls(ast.parse(path.read_text(encoding="utf-8"))):
            module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            for number, call in enumerate(calls, 1):
                site = f"{module}:{name}" + (f"/{number}" if number > 1 else "")
                found |= {(str(path), line): site for line in range(call.lineno, (call.end_lineno or 0) + 1)}
    return found


def _find_calls(tree: ast.AST, owner: str = "") -> Iterator[tuple[str, list[ast.Call]]]:
    """Per function, in order, the calls that open a writing transaction; of those that only pass it on, none."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef):
            yield from _find_calls(node, f"{node.name}.")
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            passes_on = any(isinstance(each, ast.Name) and each.id == "contextmanager" for each in node.decorator_list)
            calls = [] if passes_on else [each for each in ast.walk(node) if _is_opening(each)]
            if calls:
                yield f"{owner}{node.name}", sorted(calls, key=lambda each: each.lineno)


def _is_opening(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return False
    is_write = node.func.attr == "write" and ast.unparse(node.func.value).endswith("database")
    return is_write or node.func.attr in _OPENERS


def find_site() -> str | None:
    """The site on whose behalf a transaction begins, from inside of it; None off the way."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        site = read_sites().get((frame.f_code.co_filename, frame.f_lineno))
        if site is not None:
            return site
        frame = frame.f_back
    return None
