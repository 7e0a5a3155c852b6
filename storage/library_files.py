"""Files of the library: YAML read into a checked shape. Owns the reading and the one way to say what is wrong where;
refuses to know what the files hold (`storage.catalogue`: metrics, `storage.library`: journeys).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from rules.errors import StorageError

LIBRARY = Path(__file__).resolve().parent.parent / "library"


class LibraryError(StorageError):
    """A file of the library cannot be used; the sentence names the file and the entry."""


class Strict(BaseModel):
    """A part of a file: no word that we do not know, no spaces around texts."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


_Shape = TypeVar("_Shape", bound=Strict)


def read_file(path: Path, shape: type[_Shape]) -> _Shape:
    """The file, checked.

    Raises:
        LibraryError: it cannot be read, is no YAML, or an entry of it is wrong; names both.
    """
    try:
        read: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
        return shape.model_validate(read)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise LibraryError("{file} cannot be read: {reason}", file=path.name, reason=error) from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = _name_place(read, first["loc"])
        raise LibraryError("{file}: {place}: {reason}", file=path.name, place=place, reason=first["msg"]) from error


def _name_place(read: Any, loc: tuple[int | str, ...]) -> str:
    """Where in the file: "stages › onboarding › milestones › kick-off › days", entries by what they are called."""
    parts, node = [], read
    for step in loc:
        try:
            node = node[step]
        except (LookupError, TypeError):
            node = None
        parts.append(_name_entry(node, step) if isinstance(step, int) else step)
    return " › ".join(parts) or "the whole file"


def _name_entry(entry: Any, place: int) -> str:
    """Its key, else its English name, else its number from 1."""
    known = entry if isinstance(entry, dict) else {}
    name = known.get("name")
    return str(known.get("key") or (name.get("en") if isinstance(name, dict) else None) or place + 1)
