"""The rows we accept, as pydantic models: untrusted text in, typed values out. Owns what a valid row is;
refuses to know columns, files and the database. Errors are sentences for the person who has to mend the file.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, model_validator

from rules.records import AccountState, TargetKind, Tier
from words.errors import WordsError
from words.money import parse_money
from words.numbers import Quantity, parse_quantity

_YES = frozenset({"yes", "y", "true", "t", "1", "on", "ja", "是"})
_NO = frozenset({"no", "n", "false", "f", "0", "off", "", "nein", "否"})
_CHANNEL = re.compile(r"[CG][A-Z0-9]{6,}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


@lru_cache(maxsize=65_536)
def read_moment(text: str, formats: tuple[str, ...]) -> datetime:
    """`text` by the first fitting of strptime `formats`, else as ISO 8601; UTC where it names no zone.

    Raises `ValueError` with a sentence.
    """
    for form in formats:
        try:
            return _in_utc(datetime.strptime(text, form))  # noqa: DTZ007  # the zone is added next
        except ValueError:
            continue
    try:
        return _in_utc(datetime.fromisoformat(text))
    except ValueError:
        known = " or ".join(repr(form) for form in formats) or "2026-03-14 (or set `dates` in the mapping file)"
        raise ValueError(f"{text!r} is not a date like {known}") from None


def _in_utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


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
    raise ValueError(f"{value!r} is neither yes nor no")


def _number(value: object) -> object:
    if not isinstance(value, str):
        return value
    return _quantity(value).value if value else None


@lru_cache(maxsize=65_536)
def _quantity(text: str) -> Quantity:
    try:
        return parse_quantity(text)
    except WordsError as error:
        raise ValueError(str(error)) from error


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
        raise ValueError(f"{value!r} is not an e-mail address")
    return text


def _channel(value: object) -> object:
    text = str(value or "").strip()
    if text and not _CHANNEL.fullmatch(text):
        raise ValueError(
            f"{value!r} is not a channel id like C0123456789 (in Slack: channel name → About → Channel ID)"
        )
    return text


def _upper(value: object) -> object:
    return str(value).strip().upper() or None


def _lower(value: object) -> object:
    return str(value).strip().casefold().replace(" ", "_") if value else value


Moment = Annotated[datetime, BeforeValidator(_moment)]
Day = Annotated[date, BeforeValidator(_day)]
MaybeDay = Annotated[date | None, BeforeValidator(_day)]
MaybeMoment = Annotated[datetime | None, BeforeValidator(_moment)]
Flag = Annotated[bool, BeforeValidator(_flag)]
Number = Annotated[Decimal, BeforeValidator(_number)]
MaybeNumber = Annotated[Decimal | None, BeforeValidator(_number)]
Seats = Annotated[int | None, BeforeValidator(_whole), Field(ge=0, le=100_000_000)]
Name = Annotated[str, Field(min_length=1, max_length=120)]
Short = Annotated[str, Field(max_length=120)]


class RowIn(BaseModel):
    """What all rows share: cells arrive stripped; an empty cell falls back to the field's default."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class AccountIn(RowIn):
    """One account."""

    external_id: Short = ""
    name: Name
    state: Annotated[AccountState, BeforeValidator(_lower)] = AccountState.CUSTOMER
    tier: Annotated[Tier | None, BeforeValidator(_upper)] = None
    industry: Short = ""
    country: Short = ""
    seats: Seats = None
    owner_email: Annotated[str, BeforeValidator(_email)] = ""
    channel: Annotated[str, BeforeValidator(_channel)] = ""
    started_on: MaybeDay = None
    aliases: Annotated[tuple[Name, ...], BeforeValidator(_list)] = ()


class ContractIn(RowIn):
    """One contract. `yearly_amount` may carry its currency, as in "€84k"."""

    external_id: Name
    account: Name
    kind: Short = "subscription"
    start_on: Day
    end_on: MaybeDay = None
    term_months: Annotated[int, BeforeValidator(_whole), Field(ge=1, le=120)] = 12
    notice_by: MaybeDay = None
    notice_received_on: MaybeDay = None
    yearly_amount: str = "0"
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$"), BeforeValidator(_upper)] = "EUR"
    seats: Seats = None
    auto_renew: Flag = False
    overdue_since: MaybeDay = None

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> ContractIn:
        if self.end_on is not None and self.end_on < self.start_on:
            raise ValueError(f"it ends on {self.end_on}, before it starts on {self.start_on}")
        return self

    @property
    def yearly_minor(self) -> tuple[int, str]:
        """Yearly amount in minor units, and its currency. Raises `WordsError`."""
        amount = parse_money(self.yearly_amount, self.currency)
        return amount.minor, amount.currency


class TargetIn(RowIn):
    """One target, or one measurement of it: rows of one `external_id` may differ in `value` and `measured_on`."""

    external_id: Name
    account: Name
    metric: Name
    kind: Annotated[TargetKind, BeforeValidator(_lower)] = TargetKind.LEVEL
    unit: Annotated[str, Field(max_length=12)] = ""
    baseline: MaybeNumber = None
    goal: Number
    start_on: Day
    due_on: Day
    cadence_days: Annotated[int, BeforeValidator(_whole), Field(ge=1, le=366)] = 30
    owner_email: Annotated[str, BeforeValidator(_email)] = ""
    customer_owner: Short = ""
    agreed_on: MaybeDay = None
    steps: Annotated[tuple[str, ...], BeforeValidator(_list)] = ()
    value: MaybeNumber = None
    measured_on: MaybeDay = None

    @model_validator(mode="after")
    def _makes_sense(self) -> TargetIn:
        if self.due_on <= self.start_on:
            raise ValueError(f"it is due on {self.due_on}, not after its start on {self.start_on}")
        if self.kind is TargetKind.LEVEL and (self.baseline is None or self.baseline == self.goal):
            raise ValueError("a level target needs a baseline that differs from its goal")
        if (self.value is None) != (self.measured_on is None):
            raise ValueError("a value needs the day it was measured on, and the other way round")
        return self


class UsageIn(RowIn):
    """One usage fact: how much of `metric` on a day, by a team or person if known."""

    message_id: Short = ""
    account: Name
    team: Short = ""
    metric: Name
    person: Short = ""
    day: Day
    value: Annotated[float, BeforeValidator(_number), Field(ge=0, le=1e12)] = 1.0


class TicketIn(RowIn):
    """One support ticket."""

    external_id: Name
    account: Name
    title: Annotated[str, Field(max_length=300)] = ""
    priority: Annotated[str, BeforeValidator(_lower), Field(pattern="^(low|normal|high|urgent)$")] = "normal"
    escalated: Flag = False
    satisfaction: Annotated[int | None, BeforeValidator(_whole), Field(ge=1, le=5)] = None
    opened_at: Moment
    closed_at: MaybeMoment = None

    @model_validator(mode="after")
    def _closes_after_it_opens(self) -> TicketIn:
        if self.closed_at is not None and self.closed_at < self.opened_at:
            raise ValueError(f"it was closed at {self.closed_at:%Y-%m-%d}, before it was opened")
        return self
