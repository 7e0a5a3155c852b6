"""Files that apps upload: announced, received, completed, and then shown on the page. Owns their life and their two
addresses; the Web API's part is in `methods_files`. Refuses to share a file into a channel.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from aiohttp import web

from playground.ids import Ids

LONGEST = 1_000_000
"""Bytes; a throwaway Slack keeps them in memory."""
SIGNATURES = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif"}


@dataclass
class StoredFile:
    """A file from when its address was asked for. `length` is in bytes, as announced; `data` None until it arrived."""

    id: str
    app_id: str
    name: str
    length: int
    token: str
    title: str = ""
    data: bytes | None = None
    is_complete: bool = False

    @property
    def image_type(self) -> str:
        """The media type of a picture that messages may show, "" for anything else."""
        start = self.data or b""
        return next((kind for mark, kind in SIGNATURES.items() if start.startswith(mark)), "")


@dataclass
class Files:
    """All files of a playground."""

    by_id: dict[str, StoredFile] = field(default_factory=dict)

    def announce(self, ids: Ids, app_id: str, name: str, length: int) -> StoredFile:
        """A new file that is to come."""
        file = StoredFile(ids.mint("F"), app_id, name, length, secrets.token_urlsafe(16))
        self.by_id[file.id] = file
        return file

    def find_picture(self, file_id: str, app_id: str) -> StoredFile | None:
        """The complete picture of this app."""
        file = self.by_id.get(file_id)
        is_its = file is not None and file.app_id == app_id and file.is_complete and bool(file.image_type)
        return file if is_its else None

    def routes(self) -> list[web.RouteDef]:
        """Where bytes come in, and where the page fetches them."""
        return [web.post("/upload/v1/{token}", self.receive), web.get("/_page/files/{id}", self.show)]

    async def receive(self, request: web.Request) -> web.Response:
        """Take the bytes, as they are or as a form's only file; as many as were announced."""
        file = next((each for each in self.by_id.values() if each.token == request.match_info["token"]), None)
        if file is None:
            return web.Response(status=404, text="no such upload")
        if request.content_type == "multipart/form-data":
            parts = [part for part in (await request.post()).values() if isinstance(part, web.FileField)]
            data = parts[0].file.read() if len(parts) == 1 else b""
        else:
            data = await request.read()
        if len(data) != file.length or len(data) > LONGEST:
            return web.Response(status=400, text=f"{len(data)} bytes instead of {file.length}")
        file.data = data
        return web.Response(text=f"OK - {len(data)}")

    async def show(self, request: web.Request) -> web.Response:
        """The bytes of a complete picture, for the page."""
        file = self.by_id.get(request.match_info["id"])
        if file is None or not file.is_complete or not file.image_type:
            return web.Response(status=404, text="no such picture")
        return web.Response(body=file.data, content_type=file.image_type)
