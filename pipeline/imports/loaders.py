"""The explicit list of loaders, one per kind of file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.imports.accounts import check_accounts, store_accounts
from pipeline.imports.contracts import check_contracts, store_contracts
from pipeline.imports.loading import Loader
from pipeline.imports.mapping import Kind
from pipeline.imports.records import AccountIn, ContractIn, TargetIn, TicketIn, UsageIn
from pipeline.imports.targets import check_targets, store_targets
from pipeline.imports.tickets import check_tickets, store_tickets
from pipeline.imports.usage import check_usage, store_usage

LOADERS: Mapping[Kind, Loader[Any, Any]] = {
    Kind.ACCOUNTS: Loader(AccountIn, check_accounts, store_accounts),
    Kind.CONTRACTS: Loader(ContractIn, check_contracts, store_contracts),
    Kind.TARGETS: Loader(TargetIn, check_targets, store_targets),
    Kind.USAGE: Loader(UsageIn, check_usage, store_usage, page=500),
    Kind.TICKETS: Loader(TicketIn, check_tickets, store_tickets),
}
