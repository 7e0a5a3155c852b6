"""Who stands in for whom while somebody is away. Owns following one stand-in to the next; refuses dates of absence."""

from __future__ import annotations

from collections.abc import Collection, Mapping


def resolve_stand_ins(covers: Mapping[str, str], away: Collection[str]) -> dict[str, str]:
    """Who looks after whose work: absent member → somebody who is there.

    `covers` names each one's own cover, `away` all who are absent. Where the cover is away too, theirs steps in; who
    has nobody in the end is left out.
    """
    found = {member: _follow(member, covers, away) for member in covers if member in away}
    return {member: cover for member, cover in found.items() if cover is not None}


def _follow(member: str, covers: Mapping[str, str], away: Collection[str]) -> str | None:
    seen = {member}
    cover = covers.get(member)
    while cover is not None and cover in away:
        if cover in seen:
            return None
        seen.add(cover)
        cover = covers.get(cover)
    return cover
