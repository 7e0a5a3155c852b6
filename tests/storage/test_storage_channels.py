"""Channels that were looked at: whose turn it is next, what is known of them, each workspace for itself."""

from __future__ import annotations

from datetime import datetime, timedelta

from rules.delivery.channels import Place, Sharing
from storage.accounts.accounts import get_accounts
from storage.db import Database, Tx
from storage.delivery.channels import (
    FRESH,
    REFUSED_FRESH,
    Look,
    SharingCounts,
    count_sharing,
    find_team_channel,
    list_own_places,
    list_rows,
    list_shared,
    list_to_look_at,
    mark_changed,
    read_team_place,
    save_looks,
)
from storage.people.workspaces import get_workspace
from storage.renewals.places import list_places
from tests.alert_rows import add_account, add_member
from tests.channel_rows import know_channels, look_at
from tests.conftest import NOW, add_workspace

TEAM = "C0000001"
SECOND = timedelta(seconds=1)


def due(database: Database, workspace_id: str, now: datetime = NOW, limit: int = 10) -> list[str]:
    with database.reading(workspace_id) as tx:
        return list_to_look_at(tx, now, limit)


def sharing_of(tx: Tx, *channels: str) -> list[Sharing | None]:
    known = list_rows(tx, channels)
    return [known[each].sharing if each in known else None for each in channels]


def test_what_nobody_looked_at_comes_first_each_channel_once(database: Database, workspace_id: str):
    with database.writing(workspace_id) as tx:
        for name, channel in (("a", "CB"), ("b", "CA"), ("c", "CB"), ("d", ""), ("e", TEAM)):
            add_account(tx, name, channel_id=channel)
        add_account(tx, "gone", channel_id="CGONE", archived_at=NOW)
        know_channels(tx, "COLD")
    assert due(database, workspace_id, NOW + FRESH + SECOND) == [TEAM, "CA", "CB", "COLD"]
    assert due(database, workspace_id, NOW + FRESH + SECOND, limit=2) == [TEAM, "CA"]
    assert due(database, workspace_id, NOW + FRESH + SECOND, limit=1) == [TEAM]
    look_at(database, workspace_id, TEAM, "CA", "CB")
    assert due(database, workspace_id) == []


def test_a_channel_is_looked_at_again_every_day_the_oldest_first(database: Database, workspace_id: str):
    with database.writing(workspace_id) as tx:
        for hours, name in ((0, TEAM), (1, "CB"), (2, "CA")):
            save_looks(tx, [Look(name, Sharing.INTERNAL)], NOW + timedelta(hours=hours))
    assert due(database, workspace_id, NOW + FRESH) == []
    assert due(database, workspace_id, NOW + FRESH + timedelta(hours=3)) == [TEAM, "CB", "CA"]
    assert due(database, workspace_id, NOW + FRESH + timedelta(hours=3), limit=2) == [TEAM, "CB"]
    assert due(database, workspace_id, NOW - timedelta(days=2)) == [TEAM, "CB", "CA"]  # the clock was put back


def test_what_slack_refused_to_tell_is_asked_again_within_the_hour(database: Database, workspace_id: str):
    look_at(database, workspace_id, TEAM)
    look_at(database, workspace_id, "CA", sharing=Sharing.UNKNOWN, error="missing_scope")
    assert due(database, workspace_id, NOW + REFUSED_FRESH) == []
    assert due(database, workspace_id, NOW + REFUSED_FRESH + SECOND) == ["CA"]


def test_what_was_looked_at_before_a_moment_is_looked_at_again(tx: Tx):
    get_workspace(tx).team_channel_id = ""
    for name, seconds in (("CA", 0), ("CB", 60), ("CC", 61)):
        save_looks(tx, [Look(name, Sharing.INTERNAL)], NOW + seconds * SECOND)
    assert list_to_look_at(tx, NOW + 90 * SECOND, 5, NOW + 61 * SECOND) == ["CA", "CB"]
    assert list_to_look_at(tx, NOW + 60 * SECOND, 5, NOW + 61 * SECOND) == [], "the clock was put back"
    assert list_to_look_at(tx, NOW + FRESH + 61 * SECOND, 5, NOW) == ["CA", "CB"]


def test_a_look_takes_the_place_of_the_one_before(database: Database, workspace_id: str):
    look_at(database, workspace_id, "CA", sharing=Sharing.UNKNOWN, error="missing_scope")
    with database.writing(workspace_id) as tx:
        save_looks(tx, [Look("CA", Sharing.SHARED, "acme")], NOW + SECOND)
        row = list_rows(tx, ["CA"])["CA"]
        assert (row.sharing, row.name, row.error, row.looked_at) == (Sharing.SHARED, "acme", "", NOW + SECOND)


def test_what_slack_says_is_shared_is_shared_at_once_and_looked_at_first(database: Database, workspace_id: str):
    look_at(database, workspace_id, TEAM, "CA", "CB")
    with database.writing(workspace_id) as tx:
        mark_changed(tx, "CA", is_shared=True)
        mark_changed(tx, "CB", is_shared=False)
        mark_changed(tx, "CELSEWHERE", is_shared=True)
        assert sharing_of(tx, "CA", "CB", "CELSEWHERE") == [Sharing.SHARED, Sharing.INTERNAL, None]
    assert due(database, workspace_id) == ["CA", "CB"]


def test_what_ends_is_believed_only_when_looked_at(database: Database, workspace_id: str):
    look_at(database, workspace_id, "CA", sharing=Sharing.SHARED)
    with database.writing(workspace_id) as tx:
        mark_changed(tx, "CA", is_shared=False)
        assert list_shared(tx, ["CA", "CB", ""]) == {"CA"}


def test_places_of_accounts_and_of_the_team(database: Database, workspace_id: str):
    with database.writing(workspace_id) as tx:
        owner = add_member(tx, "UOWNER").id
        for name, channel in (("a", "CA"), ("b", "CB"), ("c", "CC"), ("d", "")):
            add_account(tx, name, channel_id=channel, owner_id=owner)
        know_channels(tx, "CA")
        know_channels(tx, "CB", sharing=Sharing.SHARED)
        rows = list(get_accounts(tx, ["a", "b", "c", "d"]).values())
        assert dict(list_own_places(tx, rows)) == {
            "a": Place("CA", Sharing.INTERNAL),
            "b": Place("CB", Sharing.SHARED),
            "c": Place("CC", Sharing.UNKNOWN),
            "d": Place("", Sharing.UNKNOWN),
        }
        assert list_places(tx, rows) == {"a": "CA", "b": TEAM, "c": TEAM, "d": TEAM}
        assert (read_team_place(tx), find_team_channel(tx)) == (Place(TEAM, Sharing.UNKNOWN), TEAM)
    look_at(database, workspace_id, TEAM, sharing=Sharing.SHARED)
    with database.reading(workspace_id) as tx:
        rows = list(get_accounts(tx, ["a", "b", "c", "d"]).values())
        assert find_team_channel(tx) == ""
        assert list_places(tx, rows) == {"a": "CA", "b": "UOWNER", "c": "UOWNER", "d": "UOWNER"}


def test_counts_are_of_channels_in_use(database: Database, workspace_id: str):
    with database.writing(workspace_id) as tx:
        assert count_sharing(tx) == SharingCounts()
        for name, channel in (("a", "CA"), ("b", "CB"), ("c", "CB"), ("d", "CD"), ("e", "CE"), ("f", "CF"), ("g", "")):
            add_account(tx, name, channel_id=channel)
        add_account(tx, "gone", channel_id="CGONE", archived_at=NOW)
        know_channels(tx, "CA", "CUNUSED")
        know_channels(tx, "CB", "CGONE", sharing=Sharing.SHARED)
        know_channels(tx, "CD", sharing=Sharing.UNKNOWN, error="missing_scope")
        know_channels(tx, "CE", sharing=Sharing.UNKNOWN, error="channel_not_found")
        assert count_sharing(tx) == SharingCounts(1, 3, ("channel_not_found", "missing_scope"))


def test_workspaces_do_not_know_each_others_channels(database: Database, workspace_id: str):
    other = add_workspace(database, "T0000002")
    with database.writing(workspace_id) as tx:
        add_account(tx, "a", channel_id="CA")
    look_at(database, other, "CA", TEAM, sharing=Sharing.SHARED)
    with database.writing(workspace_id) as tx:
        mark_changed(tx, "CA", is_shared=False)
        assert list_shared(tx, ["CA", TEAM]) == frozenset()
        assert count_sharing(tx) == SharingCounts(0, 1)
        assert find_team_channel(tx) == TEAM
    assert due(database, workspace_id) == [TEAM, "CA"]
    assert due(database, other) == []


def test_without_a_team_channel_there_is_nothing_to_look_at(database: Database, workspace_id: str):
    with database.writing(workspace_id) as tx:
        get_workspace(tx).team_channel_id = ""
        assert (list_to_look_at(tx, NOW, 5), find_team_channel(tx)) == ([], "")
