"""Verdicts on a renewal: what the CSM says and what the figures say, side by side. Owns the rule that computes one and
when the two disagree; refuses probabilities: the rule is a sentence anybody can do in their head.
"""

from __future__ import annotations

from collections.abc import Sequence

from rules.records import Band, RenewalVerdict
from rules.renewals.readiness import TargetProof

RULE = "renewal-1"
"""Changes whenever the rule would judge the same facts otherwise."""
_RANK = (RenewalVerdict.CHURNS, RenewalVerdict.AT_RISK, RenewalVerdict.RENEWS, RenewalVerdict.EXPANDS)
_SAFE = frozenset({RenewalVerdict.RENEWS, RenewalVerdict.EXPANDS})


def compute_verdict(
    band: Band, targets: Sequence[TargetProof], *, is_notice_received: bool = False
) -> RenewalVerdict | None:
    """By health and targets, the first that fits: notice received: churns · red: at risk · a target behind or missed
    and none that is good: at risk · green, a target reached and none behind: expands · green or yellow, or a good
    target: renews · else None: too little is known.
    """
    judged = [each for each in targets if each.is_judged]
    is_proven = any(each.is_good for each in judged)
    if is_notice_received:
        return RenewalVerdict.CHURNS
    if band is Band.RED or (judged and not is_proven):
        return RenewalVerdict.AT_RISK
    if band is Band.GREEN and any(each.is_achieved for each in judged) and all(each.is_good for each in judged):
        return RenewalVerdict.EXPANDS
    return RenewalVerdict.RENEWS if is_proven or band in (Band.GREEN, Band.YELLOW) else None


def disagrees(own: RenewalVerdict | None, computed: RenewalVerdict | None) -> bool:
    """Whether one says the customer stays and the other that this is in doubt."""
    return own is not None and computed is not None and (own in _SAFE) is not (computed in _SAFE)


def measure_gap(own: RenewalVerdict | None, computed: RenewalVerdict | None) -> int:
    """How far apart they are, 0 to 3 steps; 0 where one is missing."""
    if own is None or computed is None:
        return 0
    return abs(_RANK.index(own) - _RANK.index(computed))
