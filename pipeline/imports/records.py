"""The rows we accept, as pydantic models: untrusted text in, typed values out. Owns what a valid row is;
refuses to know columns, files and the database.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from pipeline.imports.cells import (
    Amount,
    Channel,
    Country,
    Day,
    Email,
    Flag,
    Lower,
    MaybeDay,
    MaybeMeasured,
    MaybeMoment,
    MaybeWhole,
    Measured,
    Metric,
    Moment,
    Name,
    Names,
    Seats,
    Short,
    Texts,
    Unit,
    Upper,
    Whole,
)
from rules.records import AccountState, TargetKind, Tier


class RowIn(BaseModel):
    """What all rows share: cells arrive stripped; an empty cell falls back to the field's default."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class OwnedRowIn(RowIn):
    """A row that belongs to an account, named by external id, slug, name or alias."""

    account: Name


class AccountIn(RowIn):
    """One account."""

    external_id: Short = ""
    name: Name
    state: Annotated[AccountState, Lower] = AccountState.CUSTOMER
    tier: Annotated[Tier | None, Upper] = None
    industry: Short = ""
    country: Country = ""
    seats: Seats = None
    owner_email: Email = ""
    channel: Channel = ""
    started_on: MaybeDay = None
    aliases: Names = ()


class ContractIn(OwnedRowIn):
    """One contract. `yearly_amount` may carry its currency, as in "€84k"; else it is in `currency`, else in the
    workspace's.
    """

    external_id: Name
    kind: Short = "subscription"
    start_on: Day
    end_on: MaybeDay = None
    term_months: Annotated[Whole, Field(ge=1, le=120)] = 12
    notice_by: MaybeDay = None
    notice_received_on: MaybeDay = None
    yearly_amount: Short = "0"
    currency: Annotated[str | None, Field(pattern=r"^[A-Z]{3}$"), Upper] = None
    seats: Seats = None
    auto_renew: Flag = False
    overdue_since: MaybeDay = None

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> ContractIn:
        if self.end_on is not None and self.end_on < self.start_on:
            raise ValueError(f"it ends on {self.end_on}, before it starts on {self.start_on}")
        return self


class TargetIn(OwnedRowIn):
    """One target, or one measurement of it: rows of one `external_id` may differ in `value` and `measured_on`."""

    external_id: Name
    metric: Metric
    kind: Annotated[TargetKind, Lower] = TargetKind.LEVEL
    unit: Unit = ""
    baseline: MaybeMeasured = None
    goal: Measured
    start_on: Day
    due_on: Day
    cadence_days: Annotated[Whole, Field(ge=1, le=366)] = 30
    owner_email: Email = ""
    customer_owner: Short = ""
    agreed_on: MaybeDay = None
    steps: Texts = ()
    value: MaybeMeasured = None
    measured_on: MaybeDay = None

    @model_validator(mode="after")
    def _brings_a_whole_measurement(self) -> TargetIn:
        if (self.value is None) != (self.measured_on is None):
            raise ValueError("a value needs the day it was measured on, and the other way round")
        return self


class UsageIn(OwnedRowIn):
    """One usage fact: how much of `metric` on a day, by a team or person if known."""

    message_id: Short = ""
    team: Short = ""
    metric: Metric
    person: Short = ""
    day: Day
    value: Amount = 1.0


class TicketIn(OwnedRowIn):
    """One support ticket."""

    external_id: Name
    title: Annotated[str, Field(max_length=300)] = ""
    priority: Annotated[Literal["low", "normal", "high", "urgent"], Lower] = "normal"
    escalated: Flag = False
    satisfaction: Annotated[MaybeWhole, Field(ge=1, le=5)] = None
    opened_at: Moment
    closed_at: MaybeMoment = None

    @model_validator(mode="after")
    def _closes_after_it_opens(self) -> TicketIn:
        if self.closed_at is not None and self.closed_at < self.opened_at:
            raise ValueError(f"it was closed at {self.closed_at:%Y-%m-%d %H:%M}, before it was opened")
        return self
