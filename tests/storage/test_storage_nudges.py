"""Other processes hear of a message when its transaction commits, and not before."""

from __future__ import annotations

import threading

from bot.nudges import Listener
from rules.records import Enqueue
from storage.db import Database
from storage.delivery.outbox import enqueue
from tests.conftest import NOW, add_workspace


def test_who_listens_hears_of_each_commit_that_brings_a_message(postgres_url: str):
    writer, other = Database(postgres_url), Database(postgres_url)
    workspace_id = add_workspace(writer)
    heard = threading.Event()
    listener = Listener(other, heard.set)
    listener.start()
    try:
        for number in range(3):  # the first may be before it listens
            with writer.writing(workspace_id) as tx:
                enqueue(tx, [Enqueue("k", f"r{number}", "C1")], NOW)
            if heard.wait(2):
                break
        assert heard.is_set()
        heard.clear()
        with writer.writing(workspace_id) as tx:
            enqueue(tx, [Enqueue("k", f"r{number}", "C1")], NOW)
        assert not heard.wait(0.2), "nothing new"
        with writer.writing(workspace_id) as tx:
            enqueue(tx, [Enqueue("k", "open", "C1")], NOW)
            assert not heard.wait(0.2), "not committed"
        assert heard.wait(5)
    finally:
        listener.stop()
        writer.close()
        other.close()
