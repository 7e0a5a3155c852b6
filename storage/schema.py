"""The explicit list of table modules: importing this one makes the metadata whole."""

from __future__ import annotations

from sqlmodel import SQLModel

from storage import (
    accounts,
    alerts,
    audit,
    conditions,
    contracts,
    deliveries,
    health,
    leases,
    members,
    metrics,
    outbox,
    schedules,
    targets,
    tickets,
    usage,
    workspaces,
)

TABLE_MODULES = (
    accounts,
    alerts,
    audit,
    conditions,
    contracts,
    deliveries,
    health,
    leases,
    members,
    metrics,
    outbox,
    schedules,
    targets,
    tickets,
    usage,
    workspaces,
)

METADATA = SQLModel.metadata
