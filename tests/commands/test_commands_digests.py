"""Digests as people read them: every kind of line with its button, what is done falls out, nobody reads too much."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from commands.delivery import digest_wishes, digests
from commands.delivery.digest_views import ALL, render_digest_of
from commands.slice import Message, Ref, Replace, Surface, Whisper
from pipeline import digest
from playground.blockkit.check import check_blocks, count_text
from rules.delivery.digests import MakeDigest, arrange, dump_contents
from rules.errors import NotAllowedError, UserError
from rules.records import AlertKind, DigestKind, DigestWish, RenewalVerdict, Role, Severity
from storage.agenda import list_items_of
from storage.alerts.alerts import get_episode
from storage.db import Database
from storage.delivery.digests import DigestRow, apply_digests
from storage.delivery.outbox import OutboxRow
from storage.people.members import get_member
from storage.people.workspaces import get_workspace
from storage.success.checkins import CheckinOfferRow, CheckinRow
from storage.success.tasks import get_task
from tests.agenda_rows import add_milestone, add_offer, add_reached, add_renewal, add_task
from tests.alert_rows import TODAY, add_episode, add_scores
from tests.commands.conftest import Desk, get_message, shown
from tests.conftest import NOW, add_workspace
from words.reader import Reader

READERS = [Reader("en-US", "UTC"), Reader("zh-CN", "Asia/Shanghai")]
FACTS = {"before": 72, "after": 49, "days": 9}
TAKE, DONE, SETTLE = (
    next(each.handle for each in digests.SLICE.buttons if each.action == f"digests.{name}")
    for name in ("take", "done", "settle")
)


def fill(desk: Desk, owner_id: str, name: str = "Acme") -> Any:
    """One thing of each kind for the owner's account; returns the account."""
    account = desk.add_account(name, owner_id=owner_id)
    add_episode(desk.tx, account.id, owner_id=owner_id, facts=FACTS, opened_at=NOW - timedelta(days=2))
    add_offer(desk.tx, account.id, owner_id)
    add_milestone(desk.tx, account.id)
    add_task(desk.tx, account.id)
    add_renewal(desk.tx, account.id)
    add_reached(desk.tx, account.id)
    return account


def make(desk: Desk) -> DigestRow:
    """Ada's digest of this morning."""
    member = get_member(desk.tx, desk.person().id)
    items = list_items_of(desk.tx, member, TODAY, NOW - timedelta(days=7))
    stored = dump_contents(arrange(items, TODAY))
    (row,) = apply_digests(desk.tx, [MakeDigest(DigestKind.PERSON, member.slack_id, TODAY, stored=stored)], NOW)
    return row


def draw(desk: Desk, row: DigestRow, reader: Reader = READERS[0]) -> Message | None:
    """The message as delivery would send it, refused where Slack would refuse it."""
    desk.tx.session.flush()
    found = render_digest_of(row.id, desk.tx, reader)
    if found is not None:
        check_blocks(list(found.blocks), "message")
        assert count_text(list(found.blocks)) < 13_000
    return found


def text_of(message: Message | None) -> str:
    return shown(Whisper(message)) if message else ""


def actions_of(message: Message | None) -> list[str]:
    """The action of each line's button, in order."""
    assert message is not None
    return [block["accessory"]["action_id"] for block in message.blocks if "accessory" in block]


@pytest.mark.parametrize("reader", READERS)
def test_each_line_has_its_one_button(desk: Desk, reader: Reader):
    fill(desk, desk.person().id)
    found = draw(desk, make(desk), reader)
    assert actions_of(found) == [
        "digests.take", "checkins.open", "digests.done", "digests.settle", "renewals.verdict"
    ]  # fmt: skip
    assert found is not None
    assert len(found.text) < 150


def test_the_first_line_says_how_much_there_is(desk: Desk):
    fill(desk, desk.person().id)
    found = draw(desk, make(desk))
    assert found is not None
    assert found.text == "Tuesday · 3 things need you, 1 can wait"
    text = text_of(found)
    for words in ("fell 72 → 49", "unclaimed for 2 days", "no check-in yet", "Send the slides · due today"):
        assert words in text
    assert "due 1 day ago" not in text
    assert "Go-live · Friday 13 Mar" in text
    assert "reached Conversion 8" in text
    assert "for Ada" not in text


def test_after_the_first_check_in_the_next_says_since_when_it_is_due(desk: Desk):
    fill(desk, desk.person().id)
    account_id = desk.tx.session.exec(select(CheckinOfferRow.account_id)).one()
    known = {"workspace_id": desk.tx.workspace_id, "account_id": account_id, "created_at": NOW}
    desk.tx.session.add(CheckinRow(happened_on=TODAY - timedelta(days=15), pulse=4, **known))
    desk.tx.session.flush()
    assert "check-in · due 1 day ago" in text_of(draw(desk, make(desk)))


def test_a_metric_of_the_catalogue_is_called_as_the_reader_calls_it(desk: Desk):
    fill(desk, desk.person().id)
    row = make(desk)
    assert "Conversion" in text_of(draw(desk, row))
    assert "转化率" in text_of(draw(desk, row, READERS[1]))


def test_what_was_done_meanwhile_falls_out(desk: Desk):
    account = desk.add_account(owner_id=desk.person().id)
    first, second = add_task(desk.tx, account.id, "Call them"), add_task(desk.tx, account.id, "Write to them")
    row = make(desk)
    first.done_at = NOW
    text = text_of(draw(desk, row))
    assert "Call them" not in text
    assert "Write to them" in text
    assert "1 thing needs you" in text
    second.removed_at = NOW
    assert draw(desk, row) is None


def set_posted(desk: Desk, row: DigestRow) -> None:
    """As if delivery had posted the digest."""
    posted = desk.tx.session.exec(select(OutboxRow).where(OutboxRow.reference == row.id)).one()
    posted.state, posted.posted_channel, posted.slack_ts = "sent", "D0000001", "1.000001"


def test_a_posted_digest_whose_last_thing_was_settled_has_no_button_left(desk: Desk):
    account = desk.add_account(owner_id=desk.person().id)
    task = add_task(desk.tx, account.id, "Call them")
    row = make(desk)
    set_posted(desk, row)
    desk.press(DONE, Ref("task", task.id, {"digest": row.id}), surface=Surface.MESSAGE)
    found = draw(desk, row)
    assert actions_of(found) == []
    assert "Tuesday · all of it is settled" in text_of(found)
    assert "Call them" not in text_of(found)


def test_a_posted_list_of_unclaimed_alerts_ends_in_one_line(desk: Desk):
    person = desk.person()
    episode = add_episode(desk.tx, desk.add_account(owner_id=person.id).id, owner_id=person.id, facts=FACTS)
    row = channel_digest(desk, DigestKind.TEAM, {"alerts": [episode.id], "count": 1})
    set_posted(desk, row)
    desk.press(TAKE, Ref("episode", episode.id, {"digest": row.id}), surface=Surface.MESSAGE)
    found = draw(desk, row)
    assert actions_of(found) == []
    assert "taken or has ended" in text_of(found)


def test_a_taken_alert_stays_and_says_who(desk: Desk):
    person = desk.person()
    account = desk.add_account(owner_id=person.id)
    episode = add_episode(desk.tx, account.id, owner_id=person.id, facts=FACTS)
    row = make(desk)
    desk.tx.session.exec(select(OutboxRow).where(OutboxRow.kind == "digest")).one().state = "sent"
    desk.tx.session.flush()
    ref = Ref("episode", episode.id, {"digest": row.id})
    [reply] = desk.press(TAKE, ref, surface=Surface.MESSAGE)
    assert isinstance(reply, Whisper)
    assert "Undo" in shown(reply)
    assert get_episode(desk.tx, episode.id).taken_by == person.id
    text = text_of(draw(desk, row))
    assert "🟠" in text
    assert "taken by <@U0000001>" in text
    updates = desk.tx.session.exec(select(OutboxRow).where(OutboxRow.kind == "digest", OutboxRow.is_update))
    assert [each.reference for each in updates if each.is_update] == [row.id]


def test_in_ones_own_copy_a_deed_shows_the_rest(desk: Desk):
    account = desk.add_account(owner_id=desk.person().id)
    first, _second = add_task(desk.tx, account.id, "Call them"), add_task(desk.tx, account.id, "Write to them")
    replies = desk.press(DONE, Ref("task", first.id))
    assert isinstance(replies[0], Replace)
    assert "Call them" not in text_of(replies[0].message)
    assert "Undo" in shown(replies[1])
    assert get_task(desk.tx, first.id).done_at == NOW
    assert "Nothing needs you" in shown(desk.press(DONE, Ref("task", _second.id))[0])


def test_a_milestone_is_settled_from_the_digest(desk: Desk):
    account = desk.add_account(owner_id=desk.person().id)
    milestone = add_milestone(desk.tx, account.id)
    row = make(desk)
    replies = desk.press(SETTLE, Ref("milestone", milestone.id, {"digest": row.id}), surface=Surface.MESSAGE)
    assert "Go-live" in shown(replies[0])
    assert draw(desk, row) is None


def test_targets_are_logged_and_renewals_opened(desk: Desk):
    person = desk.person()
    account = desk.add_account(owner_id=person.id)
    stale = {"metric_key": "conversion", "metric": "Conversion", "unit": "%", "days": 70, "limit_days": 60}
    kind = {"kind": AlertKind.TARGET_STALE, "severity": Severity.NOTICE, "subject": "1", "is_quiet": True}
    facts = stale | {
        "value": "5",
        "measured_on": "2026-01-01",
        "goal": "8",
        "due_on": "2026-12-31",
        "since": "2026-01-01",
    }
    add_episode(desk.tx, account.id, owner_id=person.id, facts=facts, **kind)
    add_renewal(desk.tx, account.id, verdict=RenewalVerdict.RENEWS)
    assert actions_of(draw(desk, make(desk))) == ["targets.log_form", "renewals.show"]


def test_what_is_covered_names_whose_it_is(desk: Desk):
    person = desk.person()
    ben = desk.add_member("U0000002", name="Ben")
    ben.away_from, ben.away_until, ben.cover_id = TODAY, TODAY, person.id
    account = desk.add_account(owner_id=ben.id)
    add_task(desk.tx, account.id)
    assert "for Ben" in text_of(draw(desk, make(desk)))


def test_who_covers_can_do_what_the_digest_offers_while_the_owner_is_away(desk: Desk):
    person = desk.person()
    ben = desk.add_member("U0000002", name="Ben")
    ben.away_from, ben.away_until, ben.cover_id = TODAY, TODAY, person.id
    account = desk.add_account(owner_id=ben.id)
    first, second = (add_episode(desk.tx, account.id, owner_id=ben.id, subject=each, facts=FACTS) for each in "12")
    desk.press(TAKE, Ref("episode", first.id), surface=Surface.MESSAGE)
    assert get_episode(desk.tx, first.id).taken_by == person.id
    with pytest.raises(NotAllowedError):
        desk.press(TAKE, Ref("episode", second.id), surface=Surface.MESSAGE, now=NOW + timedelta(days=1))


def test_a_lead_reads_that_something_is_nobodys(desk: Desk):
    person = desk.person(Role.LEAD)
    get_workspace(desk.tx).lead_id = person.id
    add_task(desk.tx, desk.add_account(owner_id=None).id)
    assert "nobody's" in shown(desk.do(digests.show, person=person)[0])


def test_many_things_are_counted_and_paged(desk: Desk):
    account = desk.add_account(owner_id=desk.person().id)
    for number in range(25):
        add_task(desk.tx, account.id, f"Step {number:02}")
    found = draw(desk, make(desk))
    assert found is not None
    assert "and 15 more" in text_of(found)
    assert len(found.blocks) <= 50
    ref = Ref.parse(
        next(b["accessory"]["value"] for b in found.blocks if b.get("accessory", {}).get("action_id") == ALL)
    )
    first = get_message(desk.press(digests.show_all, ref, surface=Surface.MESSAGE))
    assert "Today* · 25" in first.text
    more = Ref.parse(first.blocks[-1]["elements"][-1]["value"])
    last = get_message(desk.press(digests.turn_page, Ref("digest", "", dict(more.extra) | {"page": "3"})))
    assert len([block for block in last.blocks if "accessory" in block]) == 5
    assert [each["action_id"] for each in last.blocks[-1]["elements"]] == ["digests.back"]
    beyond = desk.press(digests.turn_page, Ref("digest", "", {"section": "week", "page": "90"}))
    assert "Nothing there any more" in shown(beyond[0])


@pytest.mark.parametrize("reader", READERS)
def test_the_longest_digest_fits(desk: Desk, reader: Reader):
    person = desk.person()
    for number in range(12):
        account = desk.add_account(f"{number} " + "<&>客" * 28, owner_id=person.id)
        add_episode(desk.tx, account.id, owner_id=person.id, facts=FACTS)
        add_task(desk.tx, account.id, "<&>" * 300)
        add_milestone(desk.tx, account.id, "<&>" * 100)
        add_offer(desk.tx, account.id, person.id)
        add_renewal(desk.tx, account.id)
        add_reached(desk.tx, account.id)
    assert draw(desk, make(desk), reader) is not None


# ---------------------------------------------------------------- the command


def test_digest_when_there_is_nothing_says_so_and_when_it_comes(desk: Desk):
    text = desk.say(digests.show)
    assert "Nothing needs you" in text
    assert "each working day at 09:10" in text
    assert "Weekly" in text


@pytest.mark.parametrize("section", ["today", "week", "renewals", "news"])
def test_a_section_by_its_name(desk: Desk, section: str):
    fill(desk, desk.person().id)
    assert "Acme" in desk.say(digests.show, section)


def test_other_peoples_things_are_not_told(desk: Desk):
    fill(desk, desk.add_member("U0000002", name="Ben").id)
    assert "Acme" not in desk.say(digests.show)


@pytest.mark.parametrize(
    ("typed", "wish", "at", "said"),
    [
        ("off", DigestWish.OFF, "", "You get no digest"),
        ("weekly", DigestWish.WEEKLY, "", "once a week, Monday at 09:10"),
        ("at 8:30", DigestWish.DAILY, "08:30", "each working day at 08:30"),
        ("weekly at 7pm", DigestWish.WEEKLY, "19:00", "Monday at 19:00"),
        ("at 12 am", DigestWish.DAILY, "00:00", "at 00:00"),
        ("每周", DigestWish.WEEKLY, "", "once a week"),
    ],
)
def test_a_wish_is_kept_and_can_be_taken_back(desk: Desk, typed: str, wish: DigestWish, at: str, said: str):
    assert digest_wishes.get_access(typed) == "writes"
    text = desk.say(digests.show, typed)
    assert said in text
    assert "Undo" in text
    member = get_member(desk.tx, desk.person().id)
    assert (member.digest_wish, member.digest_at) == (wish, at)
    assert "Nothing was changed" in desk.say(digests.show, typed)


@pytest.mark.parametrize("typed", ["at 25:00", "at 8:75", "at noonish", "weekly at", "at 13 pm", "sometimes"])
def test_a_wish_that_is_none_is_explained(desk: Desk, typed: str):
    if typed == "weekly at":
        typed = "weekly at half past"
    with pytest.raises(UserError):
        desk.do(digests.show, typed)


def test_a_wish_by_a_button(desk: Desk):
    replies = desk.press(digest_wishes.press, Ref("digest", "", {"wish": "off"}))
    assert "You get no digest" in shown(replies[0])
    assert get_member(desk.tx, desk.person().id).digest_wish is DigestWish.OFF
    with pytest.raises(UserError):
        desk.press(digest_wishes.press, Ref("digest", "", {"wish": "hourly"}))


def test_a_viewer_reads_and_wishes_nothing(desk: Desk):
    viewer = desk.person(Role.VIEWER, "U0000009", "Vera")
    assert "Nothing needs you" in desk.say(digests.show, person=viewer)
    with pytest.raises(NotAllowedError):
        desk.do(digests.show, "off", person=viewer)


# ---------------------------------------------------------------- the team's channel


def channel_digest(desk: Desk, kind: DigestKind, stored: dict[str, object]) -> DigestRow:
    (row,) = apply_digests(desk.tx, [MakeDigest(kind, "C0000001", TODAY, stored=stored)], NOW)
    return row


def test_the_channel_reads_unclaimed_alerts_until_they_are_taken(desk: Desk):
    person = desk.person()
    account = desk.add_account(owner_id=person.id)
    episode = add_episode(desk.tx, account.id, owner_id=person.id, facts=FACTS)
    row = channel_digest(desk, DigestKind.TEAM, {"alerts": [episode.id], "count": 4})
    found = draw(desk, row)
    assert found is not None
    assert found.text == "4 red alerts that nobody took for a day"
    assert actions_of(found) == ["digests.take"]
    assert "and 3 more" in text_of(found)
    desk.press(TAKE, Ref("episode", episode.id, {"digest": row.id}), surface=Surface.MESSAGE)
    assert draw(desk, row) is None


def renewals_table(desk: Desk, reader: Reader = READERS[0]) -> tuple[Message, list[list[str]]]:
    row = channel_digest(desk, DigestKind.RENEWALS, {})
    found = draw(desk, row, reader)
    assert found is not None
    (table,) = [block for block in found.blocks if block["type"] == "table"]
    return found, [[cell["text"] for cell in cells] for cells in table["rows"]]


def three_renewals(desk: Desk) -> None:
    """A disagreement that is far away, one that is nearer and small, and no verdict."""
    for name, days, score, more in (
        ("Near", 5, 90.0, {"verdict": RenewalVerdict.RENEWS}),
        ("Doubt", 80, 30.0, {"verdict": RenewalVerdict.EXPANDS}),
        ("Silent", 40, 60.0, {"currency": "USD"}),
    ):
        account = desk.add_account(name)
        add_scores(desk.tx, account.id, {TODAY - timedelta(days=30): score + 8, TODAY: score})
        add_renewal(desk.tx, account.id, days, **more)
        add_task(desk.tx, account.id, f"Call {name}")


def test_the_table_of_renewals(desk: Desk):
    three_renewals(desk)
    found, (head, *rows) = renewals_table(desk)
    assert head == ["Account", "Decides", "Amount", "Health", "Targets", "Risks", "Verdict", "Figures say", "Next step"]
    assert [row[0] for row in rows] == ["Doubt", "Near", "Silent"]
    assert rows[0] == ["Doubt", "29 May", "€120k", "🔴 30 ↓", "–", "0", "expands", "at risk", "Call Doubt (10 Mar)"]
    text = text_of(found)
    assert "3 renewals to decide in 90 days" in text
    assert "1 verdict disagrees" in text
    assert "renews: 1 (€120k)" in text
    assert "no verdict yet: 1 ($120k)" in text.replace("US$", "$")


def test_money_is_hidden_where_the_workspace_says_so(desk: Desk):
    get_workspace(desk.tx).is_hiding_amounts = True
    three_renewals(desk)
    found, (head, *_rows) = renewals_table(desk)
    assert "Amount" not in head
    assert "120" not in repr(found)


def test_the_table_fits_whatever_there_is(desk: Desk):
    for number in range(60):
        account = desk.add_account(f"{number} " + "长" * 60)
        add_renewal(desk.tx, account.id, number)
        add_task(desk.tx, account.id, "步" * 200)
    found, rows = renewals_table(desk, READERS[1])
    assert len(rows) == 41
    assert "20" in text_of(found)


def test_without_renewals_there_is_no_table(desk: Desk):
    row = channel_digest(desk, DigestKind.RENEWALS, {})
    assert draw(desk, row) is None
    assert render_digest_of("nothing", desk.tx, READERS[0]) is None


def test_the_job_and_the_render_agree(sqlite_database: Database):
    workspace_id = add_workspace(sqlite_database)
    with sqlite_database.writing(workspace_id) as tx:
        desk = Desk(tx)
        fill(desk, desk.person().id)
    digest.run(sqlite_database, workspace_id, NOW.replace(minute=10))
    with sqlite_database.reading(workspace_id) as tx:
        (row,) = [each for each in tx.session.exec(select(DigestRow)).all() if each.kind is DigestKind.PERSON]
        assert "3 things need you" in text_of(draw(Desk(tx), row))
