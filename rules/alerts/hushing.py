"""What noise control does to one alert: hold it, leave it to digests, mute it, let it speak again. Owns these
transitions; refuses to decide which one is due (`rules.alerts.noise`, `rules.alerts.mutes`).
"""

from __future__ import annotations

from rules.alerts.alerts import ChangeEpisode, change
from rules.alerts.episodes import Episode
from rules.alerts.noise import Hold, Quieten, Silence
from rules.alerts.standing import BY_BUDGET, Values
from rules.records import EpisodeState, QuietReason

HELD, QUIETENED, MUTED, UNMUTED = "held", "quietened", "muted", "unmuted"


def hush(episode: Episode, decision: Hold | Quieten | Silence) -> ChangeEpisode:
    """The transition that carries a decision out."""
    match decision:
        case Hold():
            return change(episode, HELD, {"held_until": decision.until}, is_told=False)
        case Quieten():
            values: Values = {"is_quiet": True, "quiet_reason": decision.reason, "held_until": None}
            spent: Values = {"quiet_count": decision.count, "quiet_limit": decision.limit}
            is_spent = decision.reason in BY_BUDGET
            return change(episode, QUIETENED, values | spent, is_told=False, is_rearmed=is_spent)
        case Silence():
            return mute(episode, decision.mute_id)


def mute(episode: Episode, mute_id: str) -> ChangeEpisode:
    """Nobody is told of it while the mute lasts; why it was quiet before is kept."""
    values: Values = {"is_quiet": True, "quiet_reason": QuietReason.MUTED, "muted_by": mute_id, "held_until": None}
    is_muted = episode.quiet_reason == QuietReason.MUTED
    before: Values = {} if is_muted else {"quiet_before": episode.quiet_reason}
    return change(episode, MUTED, values | before, is_told=False)


def unmute(episode: Episode, before: str) -> ChangeEpisode:
    """The mute is over: as quiet as it was `before`. What is loud and nobody took is told once more, even if it was
    told already: it is still wrong. What goes back to digests because a budget was full waits anew, too.
    """
    values: Values = {"is_quiet": bool(before), "quiet_reason": before, "quiet_before": "", "muted_by": None}
    is_open = episode.state is EpisodeState.OPEN
    is_told_again = not before and is_open and episode.announced_at is not None
    if is_told_again:
        values["announced_at"] = None
    is_waiting_anew = is_told_again or (is_open and before in BY_BUDGET)
    return change(episode, UNMUTED, values, is_told=False, is_new_epoch=is_waiting_anew)
