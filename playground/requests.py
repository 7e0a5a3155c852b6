"""Bodies of the control API's requests. Owns reading them against a shape; refuses to know what they ask for."""

from __future__ import annotations

from typing import TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

from playground.errors import ActError

Shape = TypeVar("Shape", bound=BaseModel)


async def read_body(request: web.Request, shape: type[Shape]) -> Shape:
    """A request's body; raises ActError naming what is wrong with it."""
    try:
        return shape.model_validate(await request.json())
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()]
        raise ActError("; ".join(problems)) from error
    except ValueError as error:
        raise ActError("the body must be JSON") from error
