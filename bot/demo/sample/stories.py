"""What happens to a sample customer: how much of its normal use is left on each day, and what else goes wrong.

Days are offsets from the day the demo begins (0 = that day, negative = before). Owns the curves; refuses files.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Curve = Callable[[int], float]


def steady(_offset: int) -> float:
    """Use as ever."""
    return 1.0


def growing(offset: int) -> float:
    """From two thirds a year ago to full use today, and on."""
    return min(1.25, 1.0 + offset / 1100)


def falls(begin: int, *, to: float, over: int = 5) -> Curve:
    """Full use until `begin`, then down to the share `to` within `over` days."""

    def curve(offset: int) -> float:
        gone = min(max(offset - begin, 0) / over, 1.0)
        return 1.0 - (1.0 - to) * gone

    return curve


def stops(begin: int) -> Curve:
    """Full use until `begin`, then none."""
    return lambda offset: 1.0 if offset < begin else 0.0


def dips(begin: int, end: int, *, to: float) -> Curve:
    """Falls like `falls`, and is back to normal within three days after `end`."""
    down = falls(begin, to=to)

    def curve(offset: int) -> float:
        if offset <= end:
            return down(offset)
        return min(1.0, to + (1.0 - to) * (offset - end) / 3)

    return curve


@dataclass(frozen=True)
class Story:
    """One kind of customer.

    `curve`: share of normal use by day. `seat_share`: active users per seat at full use.
    `open_tickets`: escalated tickets opened in the last fortnight and still open. `overdue_days`: age of the oldest
    unpaid invoice. `has_notice`: notice was given. `target_pace`: share of the way the targets have really come
    of what was planned. `is_measured`: the product reports use at all (on-premises customers do not).
    `months`: how long they have been a customer. `ends_in`: days until their contract ends, from and to; one that has
    ended or is decided soon does not renew by itself (`renews`). `tier`: "" is drawn.
    """

    name: str
    curve: Curve = steady
    seat_share: float = 0.72
    open_tickets: int = 0
    overdue_days: int = 0
    has_notice: bool = False
    target_pace: float = 1.0
    is_measured: bool = True
    months: int = 14
    ends_in: tuple[int, int] = (165, 345)
    renews: bool = True
    tier: str = ""


STORIES: dict[str, Story] = {
    story.name: story
    for story in (
        Story("steady"),
        Story("growing", growing, target_pace=1.2),
        Story("slow targets", target_pace=0.35, tier="B"),
        Story("goal reached", target_pace=2.0),
        Story("sleepy", seat_share=0.3, target_pace=0.9, tier="B"),
        Story("fell last week", falls(-9, to=0.15), target_pace=0.8, tier="B"),
        Story("fell and comes back", dips(-9, 2, to=0.15)),
        Story("falls tomorrow", falls(1, to=0.1, over=3), tier="A"),
        Story("falls next week", falls(4, to=0.15, over=3), open_tickets=1, tier="B"),
        Story("silent", stops(-27), target_pace=0.5, tier="B"),
        Story("unpaid", overdue_days=38),
        Story("gave notice", falls(-60, to=0.5, over=40), has_notice=True, target_pace=0.4, ends_in=(50, 50), tier="B"),
        Story("sponsor left", target_pace=0.9, ends_in=(110, 110), tier="A"),
        Story("well prepared", target_pace=2.0, ends_in=(55, 55), tier="A"),
        Story("decides soon", seat_share=0.6, target_pace=0.8, ends_in=(12, 12), renews=False, tier="A"),
        Story("expired", ends_in=(-5, -5), renews=False, tier="B"),
        Story("support storm", open_tickets=6, seat_share=0.6),
        Story("on premises", is_measured=False, target_pace=0.9),
        Story("onboarding", months=1, seat_share=0.5, tier="B"),
        Story("just started", months=1, seat_share=0.5),
    )
}

# How many customers of each story; the rest are steady.
CAST: dict[str, int] = {
    "growing": 4,
    "slow targets": 2,
    "goal reached": 2,
    "sleepy": 2,
    "fell last week": 2,
    "fell and comes back": 1,
    "falls tomorrow": 1,
    "falls next week": 1,
    "silent": 1,
    "unpaid": 1,
    "gave notice": 1,
    "sponsor left": 1,
    "well prepared": 1,
    "decides soon": 1,
    "expired": 1,
    "support storm": 1,
    "on premises": 2,
    "onboarding": 3,
    "just started": 2,
}
