"""What a person is told of an account's channel where nothing is posted in it. Owns finding that out; the words are
`commands.blocks.channels`'.
"""

from __future__ import annotations

from commands.blocks.channels import elsewhere_words
from rules.delivery.channels import may_hold
from storage.db import Tx
from storage.delivery.channels import find_team_channel, list_rows, to_place
from words.reader import Reader


def channel_note(reader: Reader, tx: Tx, channel: str) -> str:
    """Why what is said about an account with this channel of its own goes elsewhere; "" where it does not, or where it
    has none. Plain text.
    """
    row = list_rows(tx, [channel]).get(channel)
    own = to_place(channel, row)
    if not channel or may_hold(own):
        return ""
    has_team = bool(find_team_channel(tx))
    return elsewhere_words(reader, own.sharing, row.error if row else "", has_team=has_team)
