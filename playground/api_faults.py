"""Carries a fault out on one call of the Web API.

Owns what happens to the connection and when the call is applied; `api` owns applying it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiohttp import web

from playground.core import Core
from playground.errors import RefusalError
from playground.faults import Fault, FaultKind

Apply = Callable[[], web.Response]


async def strike(core: Core, request: web.Request, fault: Fault, apply: Apply) -> web.Response:
    """Answer a call as the fault has it.

    Args:
        core: where what lands later is kept running.
        request: its connection may be closed.
        fault: the disturbance.
        apply: does the call, notes it in the ledger, and gives its answer; never raises.
    """
    match fault.kind:
        case FaultKind.FAIL_AFTER_ACCEPT:
            apply()
            return answer_broken(fault)
        case FaultKind.DROP_BEFORE_ACCEPT:
            return hang_up(request)
        case FaultKind.DROP_AFTER_ACCEPT:
            apply()
            return hang_up(request)
        case FaultKind.ANSWER_LATE:
            response = apply()
            await asyncio.sleep(fault.seconds)
            return response
        case FaultKind.APPLY_LATE:
            core.start_task(land(fault.seconds, apply))
            return hang_up(request)
        case FaultKind.HANG:
            await asyncio.sleep(fault.seconds)
            return hang_up(request)
        case FaultKind.RATE_LIMIT:
            return web.json_response(
                {"ok": False, "error": fault.error}, status=fault.status, headers={"Retry-After": f"{fault.seconds:g}"}
            )
        case FaultKind.FAIL:
            return answer_broken(fault)
        case _:
            return web.json_response(RefusalError(fault.error).to_json())


async def land(seconds: float, apply: Apply) -> None:
    """Apply a call that was given up long ago."""
    await asyncio.sleep(seconds)
    apply()


def hang_up(request: web.Request) -> web.Response:
    """Close the connection without an answer; the response is for aiohttp alone, nobody gets it."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


def answer_broken(fault: Fault) -> web.Response:
    """What a broken server says."""
    return web.json_response({"ok": False, "error": fault.error}, status=fault.status)
