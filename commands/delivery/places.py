"""Where messages go, in words. Owns nothing else."""

from __future__ import annotations

from commands.kit import mention


def place_words(channel: str) -> str:
    """A channel or a person, as Slack shows them."""
    return mention(channel) if channel[:1] in {"U", "W"} else f"<#{channel}>"
