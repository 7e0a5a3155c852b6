"""Processes to be killed, made fast: one warm program that has imported everything forks for each order.

As a program it reads orders (JSON, one a line: function and arguments), forks for each and reports the child's id, what
it says, and how it ended. It holds no connections and no threads, so that a child begins clean. As a module it has the
test's side, `Forker`.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import select
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
Say = Callable[[str], None]

# ---------------------------------------------------------------- the program


def main() -> None:
    """Fork for each order, until there are no more."""
    test = os.dup(1)
    os.dup2(2, 1)  # where logs go
    reading, waking = os.pipe()
    os.set_blocking(waking, False)
    os.set_blocking(reading, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(waking)
    orders = b""
    while chunk := _wait(reading, test):
        orders += chunk
        *lines, orders = orders.split(b"\n")
        for line in lines:
            _fork(json.loads(line), test)
    os.killpg(os.getpgrp(), signal.SIGKILL)  # the test is gone: its children go too


def _wait(reading: int, test: int) -> bytes:
    """The next orders; children that end meanwhile are reported."""
    while True:
        ready, _, _ = select.select([0, reading], [], [])
        if reading in ready:
            os.read(reading, 4096)
            _report_ends(test)
        if 0 in ready:
            return os.read(0, 65536)


def _report_ends(test: int) -> None:
    try:
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            _write(test, ended[0], "end", os.waitstatus_to_exitcode(ended[1]))
    except ChildProcessError:
        return


def _fork(order: dict[str, Any], test: int) -> None:
    module, _, name = order["run"].partition(":")
    run = getattr(importlib.import_module(module), name)
    if order["is_warming"]:
        _write(test, 0, "begin", order["number"])
        run(lambda line: _write(test, 0, "say", line), **order["arguments"])
        _write(test, 0, "end", 0)
        return
    pid = os.fork()
    if pid:
        _write(test, pid, "begin", order["number"])
        return
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    code = 1
    try:
        run(lambda line: _write(test, os.getpid(), "say", line), **order["arguments"])
        code = 0
    except BaseException:
        sys.excepthook(*sys.exc_info())
        raise
    finally:
        sys.stderr.flush()
        os._exit(code)


def _write(test: int, pid: int, what: str, value: object) -> None:
    os.write(test, f"{json.dumps([pid, what, value])}\n".encode())


# ---------------------------------------------------------------- the test's side


@dataclass
class Child:
    """One forked process."""

    pid: int
    said: asyncio.Queue[str] = field(default_factory=asyncio.Queue)
    ended: asyncio.Future[int] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    async def hear(self, seconds: float = 20.0) -> str:
        """What it says next."""
        return await asyncio.wait_for(self.said.get(), seconds)

    async def wait(self, seconds: float = 60.0) -> int:
        """How it ended: its exit code, or the negative number of the signal that killed it."""
        return await asyncio.wait_for(asyncio.shield(self.ended), seconds)

    def send(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    async def kill(self) -> None:
        """As a machine that loses power."""
        self.send(signal.SIGKILL)
        await self.wait()


@dataclass
class Forker:
    """Gives orders to the program."""

    program: Process
    _children: dict[int, Child] = field(default_factory=dict)
    _begun: dict[int, asyncio.Future[Child]] = field(default_factory=dict)

    async def start(self, run: str, *, is_warming: bool = False, **arguments: object) -> Child:
        """Fork a process for a function named "module:function", which gets a `say` and the arguments. With
        `is_warming` the program runs it itself: what it has read and worked out, all later children begin with.
        """
        number = len(self._begun)
        begun = self._begun[number] = asyncio.get_running_loop().create_future()
        order = {"run": run, "number": number, "arguments": arguments, "is_warming": is_warming}
        assert self.program.stdin is not None
        self.program.stdin.write(f"{json.dumps(order)}\n".encode())
        return await asyncio.wait_for(begun, 30)

    async def listen(self) -> None:
        """Hand what the program reports to whom it concerns."""
        assert self.program.stdout is not None
        while line := await self.program.stdout.readline():
            pid, what, value = json.loads(line)
            if what == "begin":
                self._begun[value].set_result(self._child(pid))
            elif what == "say":
                self._child(pid).said.put_nowait(value)
            else:
                self._children.pop(pid).ended.set_result(value)

    def _child(self, pid: int) -> Child:
        """A child may speak before the program has reported that it began."""
        return self._children.setdefault(pid, Child(pid))


@asynccontextmanager
async def open_forker(log: Path | None = None) -> AsyncIterator[Forker]:
    """The program, until the block ends; then it and all its children are killed. Their logs go to `log`."""
    errors = log.open("ab") if log else DEVNULL
    environment = {"PYTHONPATH": str(ROOT), "HOME": os.environ.get("HOME", "/"), "PATH": os.environ.get("PATH", "")}
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.crash.forked"),
        cwd=ROOT,
        env=environment,
        stdin=PIPE,
        stdout=PIPE,
        stderr=errors,
        start_new_session=True,
    )
    forker = Forker(program)
    listening = asyncio.create_task(forker.listen())
    try:
        yield forker
    finally:
        os.killpg(program.pid, signal.SIGKILL)
        await program.wait()
        await listening
        if log:
            errors.close()


if __name__ == "__main__":
    main()
