"""How hard a soak is: how much is said, how often processes are killed, what goes wrong in Slack. Owns the sizes and
the mix of faults; refuses to run anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from playground.fault_rules import FaultRule
from playground.faults import FaultKind
from rules.delivery.outbox import Pace

SCALED = Pace(lease=1.0, settle=0.8, spacing=0.1, poll=0.05, timeout=0.5, sweep=2.0)
"""As in production, but faster: every relation between two times stays what it is."""

WRITES = ("chat.postMessage", "chat.update")
LOOKS = ("conversations.history", "conversations.replies", "chat.delete")


@dataclass(frozen=True)
class Plan:
    """One soak.

    Args:
        messages: posts and replies; changes of posts come on top.
        channels: over how many channels.
        kills: how many processes are killed.
        gap: seconds from one kill to the next, on average.
        replicas: how many processes deliver at the same time.
        share: of all calls, how many are disturbed (0…1).
        lands_after: seconds until what is applied late lands; below `pace.settle` the promise is "never doubled".
        pace: delivery's times.
        pauses: how many processes are stopped until others send what they had claimed, and then go on.
        render_seconds: how long a process takes to render a message.
        drained_within: seconds from the end of all faults until everything must have arrived.
        kinds: the faults of posts and changes, with their weights; None for all.
    """

    messages: int
    channels: int
    kills: int
    gap: float
    replicas: int = 2
    share: float = 0.2
    lands_after: float = 0.3
    pace: Pace = SCALED
    pauses: int = 0
    render_seconds: float = 0.0
    drained_within: float = 60.0
    kinds: tuple[tuple[FaultKind, float], ...] = (
        (FaultKind.DROP_AFTER_ACCEPT, 4),
        (FaultKind.DROP_BEFORE_ACCEPT, 3),
        (FaultKind.APPLY_LATE, 3),
        (FaultKind.FAIL, 3),
        (FaultKind.FAIL_AFTER_ACCEPT, 3),
        (FaultKind.REFUSE, 3),
        (FaultKind.ANSWER_LATE, 2),
        (FaultKind.HANG, 1),
        (FaultKind.RATE_LIMIT, 0.5),
    )

    @property
    def seconds(self) -> float:
        """How long changes are made and processes killed."""
        return self.kills * self.gap + self.pauses * (self.gap + self.pace.lease + self.pace.settle)

    def list_rules(self) -> list[FaultRule]:
        """The faults. What is looked up or deleted fails as often as what is posted, but never lands late."""
        looks = [pair for pair in self.kinds if pair[0] is not FaultKind.APPLY_LATE]
        rules = [rule for method in WRITES for rule in self._mix(method, self.kinds)]
        return rules + [rule for method in LOOKS for rule in self._mix(method, looks)]

    def _mix(self, method: str, kinds: Sequence[tuple[FaultKind, float]]) -> Iterator[FaultRule]:
        """One rule per kind. Rules are asked in turn, so each draws from what the earlier ones left."""
        whole, left = sum(weight for _, weight in kinds), 1.0
        for kind, weight in kinds:
            part = self.share * weight / whole
            rule = {"kind": kind, "method": method, "probability": part / left, **self._details(kind, method)}
            yield FaultRule.model_validate(rule)
            left -= part

    def _details(self, kind: FaultKind, method: str) -> dict[str, object]:
        """What a rule of this kind must say. A change of a message never lands after the settle time: an old text that
        comes last is no second copy, and nothing takes it away.
        """
        is_post = method == "chat.postMessage"
        details: dict[FaultKind, dict[str, object]] = {
            FaultKind.APPLY_LATE: {"seconds": self.lands_after if is_post else self.pace.settle / 3},
            FaultKind.ANSWER_LATE: {"seconds": self.pace.timeout * 0.8},
            FaultKind.HANG: {"seconds": self.pace.timeout * 1.5},
            FaultKind.REFUSE: {"error": "internal_error"},
            FaultKind.RATE_LIMIT: {"retry_after": 1},
        }
        return details.get(kind, {})


LONG = Plan(messages=2000, channels=40, kills=200, gap=0.25)
QUICK = Plan(messages=150, channels=10, kills=30, gap=0.25)
OVERDUE = Plan(
    messages=400,
    channels=20,
    kills=20,
    gap=0.8,
    lands_after=1.6,
    kinds=((FaultKind.APPLY_LATE, 6), (FaultKind.DROP_BEFORE_ACCEPT, 1), (FaultKind.FAIL, 1), (FaultKind.REFUSE, 1)),
)
"""What is applied late lands after the settle time: copies appear, and the sweeper must remove them."""
