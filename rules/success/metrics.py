"""The catalogue of metrics of a workspace: what may change, and the intents. Refuses to store or list anything."""

from __future__ import annotations

from dataclasses import dataclass

from rules.errors import UserError

NAME_LENGTH = 80
UNIT_LENGTH = 16


@dataclass(frozen=True)
class AddMetric:
    """Offer a number of one's own."""

    name: str
    unit: str = ""


@dataclass(frozen=True)
class HideMetric:
    """Offer a metric no more (`is_hidden`), or again. `name` and `unit` are the catalogue's, for its first row."""

    key: str
    name: str
    unit: str
    is_hidden: bool


MetricIntent = AddMetric | HideMetric


def decide_add_metric(name: str, unit: str, *, is_known: bool) -> list[MetricIntent]:
    """The intents that add a metric. Raises `UserError` for a name that is none, or is there already."""
    shown = check_name(name, field="name")
    if is_known:
        raise UserError("“{name}” is in the catalogue already. See `/cs metrics`.", field="name", name=shown)
    if len(unit) > UNIT_LENGTH:
        raise UserError("A unit is %, a currency or a short word like min.", field="unit")
    return [AddMetric(shown, unit)]


def decide_hide(key: str, name: str, unit: str, *, is_hidden: bool) -> list[MetricIntent]:
    """The intents that offer a metric no more, or again."""
    return [HideMetric(key, name, unit, is_hidden)]


def check_name(name: str, *, field: str = "metric") -> str:
    """The name with single spaces. Raises `UserError`: no letters, or longer than 80 characters."""
    shown = " ".join(name.split())
    if not any(sign.isalpha() for sign in shown) or len(shown) > NAME_LENGTH:
        raise UserError(
            "Name the number in a few words, like “conversion”: {limit} characters at most.",
            field=field,
            limit=NAME_LENGTH,
        )
    return shown
