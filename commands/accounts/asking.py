"""The account a command or button is about, and the question where nobody said which. Owns these two; refuses names
(`commands.naming`).
"""

from __future__ import annotations

from commands.kit import loaded_menu, message, section
from commands.naming import ACCOUNT_MENU
from commands.slice import Call, Message
from storage.accounts.accounts import AccountRow, get_account
from storage.db import Tx


def get_pressed(call: Call, tx: Tx) -> AccountRow:
    """The account that a menu's choice or a button names. Raises `NotFoundError` where it is gone or archived."""
    return get_account(tx, call.ref.id if call.ref else call.picked)


def ask_which(call: Call) -> Message:
    """Which account? Its page opens from the menu, with a button for everything."""
    text = call.reader.say("Which account?")
    return message(text, section(text, accessory=loaded_menu(ACCOUNT_MENU, call.reader.say("Type a name"))))
