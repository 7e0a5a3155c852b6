"""The errors storage raises. Owns their sentences; what a person does about them stands in each."""

from __future__ import annotations

from rules.errors import StorageError, UserError


class BusyError(UserError):
    """The database could not take a change just now; most often another writer held it longer than a person should
    wait. Nothing was saved.
    """

    def __init__(
        self, sentence: str = "Milepost is busy right now and nothing was saved. Try again in a few seconds."
    ) -> None:
        super().__init__(sentence)


class FullError(BusyError):
    """There is no room for the change on the database's disk. Nothing was saved."""

    def __init__(self) -> None:
        super().__init__(
            "The disk that Milepost keeps its data on is full, so nothing was saved. "
            "Ask whoever runs Milepost to make room, then try again."
        )


class CutOffError(BusyError):
    """The connection to the database broke, perhaps while it committed: nobody knows whether the change was saved."""

    def __init__(self) -> None:
        super().__init__(
            "Milepost lost its database for a moment. Look whether this was saved, and try again if it was not."
        )


class NotFoundError(UserError):
    """The thing named does not exist in this workspace (or no longer does)."""


class LeaseLostError(StorageError):
    """Another process has the lease by now under which this was done. Nothing of the transaction was saved."""

    def __init__(self, sentence: str = "Another process has taken over.") -> None:
        super().__init__(sentence)


class SchemaError(StorageError):
    """The database is missing, or at another revision than this version of Milepost needs."""
