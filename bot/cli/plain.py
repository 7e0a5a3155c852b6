"""Text from outside made safe for a terminal. Owns nothing else."""

from __future__ import annotations


def plain(text: str) -> str:
    """Text without the signs that steer a terminal or rich's own markup."""
    return "".join(sign if sign.isprintable() else " " for sign in text).replace("[", r"\[")
