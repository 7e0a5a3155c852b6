"""Turns go to who waited longest, and nobody who gave up is given one."""

from __future__ import annotations

import threading

from storage.turns import Turns


def wait_in_line(turns: Turns, order: list[int], number: int) -> threading.Thread:
    def act() -> None:
        assert turns.take(5)
        order.append(number)
        turns.give_back()

    thread = threading.Thread(target=act)
    before = len(turns._waiting)
    thread.start()
    while len(turns._waiting) == before:
        threading.Event().wait(0.001)
    return thread


def test_first_come_first_served_even_before_who_had_it_last():
    turns, order = Turns(), list[int]()
    assert turns.take(0)
    threads = [wait_in_line(turns, order, number) for number in range(5)]
    turns.give_back()
    assert turns.take(5)
    order.append(99)
    turns.give_back()
    for thread in threads:
        thread.join()
    assert order == [0, 1, 2, 3, 4, 99]


def test_who_gives_up_is_not_given_a_turn():
    turns = Turns()
    assert turns.take(0)
    assert not turns.take(0.01)
    turns.give_back()
    assert turns.take(0)
    assert not turns.take(0)
