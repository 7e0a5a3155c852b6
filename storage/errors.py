"""The errors storage raises. Owns their sentences; what a person does about them stands in each."""

from __future__ import annotations

from rules.errors import StorageError, UserError


class BusyError(UserError):
    """Another writer held the database longer than a person should wait. Nothing was saved."""

    def __init__(self) -> None:
        super().__init__("Milepost is busy right now and nothing was saved. Try again in a few seconds.")


class NotFoundError(UserError):
    """The thing named does not exist in this workspace (or no longer does)."""


class SchemaError(StorageError):
    """The database is missing, or at another revision than this version of Milepost needs."""
