"""How the text of one cell becomes a value: dates, numbers, flags, names. Owns the types that row models are made
of; refuses to know any row. Errors are sentences for the person who has to mend the file.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Annotated

from pydantic import BeforeValidator, Field, ValidationInfo

from rules.errors import UserError
from rules.success.metrics import NAME_LENGTH
from rules.success.plans import check_unit
from words.errors import WordsError, excerpt
from words.numbers import Quantity, parse_quantity

_YES = frozenset({"yes", "y", "true", "t", "1", "on", "ja", "是"})
_NO = frozenset({"no", "n", "false", "f", "0", "off", "", "nein", "否"})
_CHANNEL = re.compile(r"[CG][A-Z0-9]{6,}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_COUNTRY = re.compile(r"[A-Z]{2}")
_YEARS = range(1900, 2200)


@lru_cache(maxsize=65_536)
def read_moment(text: str, formats: tuple[str, ...]) -> datetime:
    """`text` by the first fitting of strptime `formats`, else as ISO 8601; UTC where it names no zone.

    Raises `ValueError` with a sentence: not readable, or outside the years 1900 to 2199.
    """
    moment = next((found for form in formats if (found := _try_format(text, form))), None) or _try_iso(text)
    if moment is None:
        known = " or ".join(repr(form) for form in formats) or "2026-03-14 (or set `dates` in the mapping file)"
        raise ValueError(f"{excerpt(text)!r} is not a date like {known}")
    if moment.year not in _YEARS:
        raise ValueError(f"{excerpt(text)!r} lies in the year {moment.year}")
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _try_format(text: str, form: str) -> datetime | None:
    try:
        return datetime.strptime(text, form)  # noqa: DTZ007  # the zone is added by the caller
    except ValueError:
        return None


def _try_iso(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def read_quantity(text: str, unit: str) -> Decimal:
    """A number typed in `unit`, or without one. Raises `ValueError` with a sentence."""
    quantity = _quantity(text)
    try:
        check_unit(quantity.unit, unit)
    except UserError as error:
        raise ValueError(str(error)) from error
    return quantity.value


@lru_cache(maxsize=65_536)
def _quantity(text: str) -> Quantity:
    return parse_quantity(text)


def _formats(info: ValidationInfo) -> tuple[str, ...]:
    return info.context["dates"] if info.context else ()


def _moment(value: object, info: ValidationInfo) -> object:
    return read_moment(value, _formats(info)) if isinstance(value, str) and value else None


def _day(value: object, info: ValidationInfo) -> object:
    return read_moment(value, _formats(info)).date() if isinstance(value, str) and value else None


def _flag(value: object) -> object:
    text = str(value).strip().casefold()
    if text in _YES:
        return True
    if text in _NO:
        return False
    raise ValueError(f"{excerpt(str(value))!r} is neither yes nor no")


def _number(value: object) -> object:
    if not isinstance(value, str):
        return value
    return read_quantity(value, "") if value else None


def _measured(value: object, info: ValidationInfo) -> object:
    if not isinstance(value, str):
        return value
    return read_quantity(value, info.data.get("unit", "")) if value else None


def _whole(value: object) -> object:
    number = _number(value)
    if isinstance(number, Decimal) and number != number.to_integral_value():
        raise ValueError(f"{value} is not a whole number")
    return int(number) if isinstance(number, Decimal) else number


def _list(value: object) -> object:
    return tuple(part.strip() for part in str(value).split(";") if part.strip()) if value else ()


def _email(value: object) -> object:
    text = str(value or "").strip().casefold()
    if text and not _EMAIL.fullmatch(text):
        raise ValueError(f"{excerpt(text)!r} is not an e-mail address")
    return text


def _channel(value: object) -> object:
    text = str(value or "").strip()
    if text and not _CHANNEL.fullmatch(text):
        raise ValueError(
            f"{excerpt(text)!r} is not a channel id like C0123456789 (in Slack: channel name → About → Channel ID)"
        )
    return text


def _upper(value: object) -> object:
    return str(value).strip().upper() or None


def _lower(value: object) -> object:
    return str(value).strip().casefold().replace(" ", "_") if value else value


@lru_cache(maxsize=4096)
def _metric(value: object) -> object:
    if isinstance(value, str) and value and not any(map(str.isalpha, value)):
        raise ValueError(f"{excerpt(value)!r} is no name of a metric: it has no letter")
    return value


def _unit(value: object) -> object:
    """As people type it after a number, so that nothing but a unit gets in: "€" is EUR, "percent" is %."""
    text = str(value or "").strip()
    try:
        unit = _quantity(f"1 {text}").unit
    except WordsError:
        unit = ""
    if text and not unit:
        raise ValueError(f"{excerpt(text)!r} is no unit. Write %, a currency such as EUR, or a word such as days")
    return unit


def _country(value: object) -> object:
    text = str(value or "").strip().upper()
    if text and not _COUNTRY.fullmatch(text):
        raise ValueError(f"{excerpt(text)!r} is not a country code of two letters, such as DE")
    return text


Lower = BeforeValidator(_lower)
Upper = BeforeValidator(_upper)
Moment = Annotated[datetime, BeforeValidator(_moment)]
Day = Annotated[date, BeforeValidator(_day)]
MaybeDay = Annotated[date | None, BeforeValidator(_day)]
MaybeMoment = Annotated[datetime | None, BeforeValidator(_moment)]
Flag = Annotated[bool, BeforeValidator(_flag)]
Amount = Annotated[float, BeforeValidator(_number), Field(ge=0, le=1e12)]
Whole = Annotated[int, BeforeValidator(_whole)]
MaybeWhole = Annotated[int | None, BeforeValidator(_whole)]
Measured = Annotated[Decimal, BeforeValidator(_measured)]
"""A number in the row's `unit`, a field declared before it."""
MaybeMeasured = Annotated[Decimal | None, BeforeValidator(_measured)]
Seats = Annotated[MaybeWhole, Field(ge=0, le=100_000_000)]
Name = Annotated[str, Field(min_length=1, max_length=120)]
Short = Annotated[str, Field(max_length=120)]
Metric = Annotated[str, BeforeValidator(_metric), Field(min_length=1, max_length=NAME_LENGTH)]
Email = Annotated[str, BeforeValidator(_email)]
Channel = Annotated[str, BeforeValidator(_channel)]
Unit = Annotated[str, BeforeValidator(_unit), Field(max_length=12)]
Country = Annotated[str, BeforeValidator(_country)]
Names = Annotated[tuple[Name, ...], BeforeValidator(_list)]
Texts = Annotated[tuple[str, ...], BeforeValidator(_list)]
