"""The explicit list of table modules: importing this one makes the metadata whole."""

from __future__ import annotations

from sqlmodel import SQLModel

from storage import audit
from storage.accounts import accounts, contacts, notes
from storage.alerts import adjustments, alerts, conditions, escalations, mutes, noise_settings
from storage.delivery import channels, deliveries, digests, leases, outbox, schedules
from storage.health import feeds, health, tickets, usage
from storage.people import members, workspaces
from storage.renewals import contracts, renewals
from storage.success import checkins, journeys, metrics, risks, targets, tasks

TABLE_MODULES = (
    *(accounts, contacts, notes),
    *(adjustments, alerts, conditions, escalations, mutes, noise_settings),
    *(channels, deliveries, digests, leases, outbox, schedules),
    *(feeds, health, tickets, usage),
    *(members, workspaces),
    *(contracts, renewals),
    *(checkins, journeys, metrics, risks, targets, tasks),
    audit,
)

METADATA = SQLModel.metadata
