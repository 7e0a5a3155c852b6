"""The one family of errors. Owns the root and its four children; refuses to own any sentence's
wording beyond the English original, which the edge translates and shows.

The module that raises defines its leaf where a caller must tell it apart; only the edges
(`bot/slack`, `bot/scheduler.py`, `bot/cli`) catch.
"""

from __future__ import annotations


class MilepostError(Exception):
    """Root of every error Milepost raises on purpose.

    `sentence` is English with `{named}` fields (a gettext msgid); `values` fill the fields.
    """

    def __init__(self, sentence: str, /, **values: object) -> None:
        self.sentence = sentence
        self.values = values
        super().__init__(sentence.format(**values) if values else sentence)


class UserError(MilepostError):
    """A person asked for something that cannot be; the sentence says what to do next. Logged at INFO.

    `field` names the form field at fault, if there is one; `nearest` are (value, label) pairs to offer instead.
    """

    def __init__(
        self,
        sentence: str,
        /,
        *,
        field: str | None = None,
        nearest: tuple[tuple[str, str], ...] = (),
        **values: object,
    ) -> None:
        super().__init__(sentence, **values)
        self.field = field
        self.nearest = nearest


class NotAllowedError(UserError):
    """The member's role or ownership does not permit the action. Audited as a refusal."""


class StaleError(UserError):
    """The thing was changed or is gone since the person saw it (a second click, an old button)."""


class DeliveryError(MilepostError):
    """A message could not be handed to Slack."""


class IngestError(MilepostError):
    """A row or request from outside was refused; `values` name line, column and reason."""


class StorageError(MilepostError):
    """The database could not do what was asked."""
