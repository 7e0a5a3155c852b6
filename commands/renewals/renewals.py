"""Renewals as people handle them: `/cs renewals`, `/cs renewal`, and the slice that names every button and form about
renewals and contracts. Owns which does what; refuses to decide and to lay out.
"""

from __future__ import annotations

from commands.access import require_on
from commands.blocks.renewals import SHOW
from commands.naming import find_only_account
from commands.renewals import contracts, outcomes, verdicts
from commands.renewals.renewal_card import render_renewal
from commands.renewals.renewal_list import BACK, NEXT, show_list, turn_page
from commands.renewals.renewal_messages import RENDERS
from commands.slice import Button, Call, Command, Reply, Slice, Whisper
from commands.typed import get_today
from rules.people.roles import Permission
from storage.accounts.accounts import get_account
from storage.db import Tx


def renewal(call: Call, tx: Tx) -> list[Reply]:
    """`/cs renewal ACCOUNT`: its renewals on one page; without a name, the list."""
    call.require(Permission.READ)
    account = find_only_account(call, tx)
    if account is None:
        return show_list(call, tx)
    return [Whisper(render_renewal(call.reader, tx, account, get_today(call, tx)))]


def show(call: Call, tx: Tx) -> list[Reply]:
    """The button: the account's renewals on one page."""
    account = get_account(tx, call.ref.id if call.ref else "")
    require_on(call, tx, Permission.READ, account)
    return [Whisper(render_renewal(call.reader, tx, account, get_today(call, tx)))]


SLICE = Slice(
    "renewals",
    commands=(
        Command(
            "renewals",
            "[DAYS | mine | @person | overdue]",
            "Renewals by decision date: amount, health, what is missing",
            show_list,
            "reads",
            ("renewals", "renewals 30 mine", "renewals overdue"),
        ),
        Command(
            "renewal",
            "ACCOUNT",
            "One renewal: what is missing, both verdicts, the outcome",
            renewal,
            "reads",
            ("renewal acme",),
        ),
        contracts.COMMAND,
    ),
    buttons=(
        Button(SHOW, show, "reads"),
        Button(BACK, turn_page, "reads"),
        Button(NEXT, turn_page, "reads"),
        *verdicts.BUTTONS,
        *outcomes.BUTTONS,
        *contracts.BUTTONS,
    ),
    forms=(verdicts.FORM, outcomes.FORM, contracts.FORM),
    renders=RENDERS,
)
