"""Uploaded pictures: announced, received, completed, shown in a message and on the page; and all that Slack refuses."""

from __future__ import annotations

import struct
import zlib
from copy import deepcopy
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from playground.server import Playground

GENERAL = "C0000GENERAL"


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


PNG = (
    b"\x89PNG\r\n\x1a\n"
    + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
    + chunk(b"IDAT", zlib.compress(b"\x00\x10\x80\xf0"))
    + chunk(b"IEND", b"")
)


@pytest.fixture
def manifest(manifest: dict[str, Any]) -> dict[str, Any]:
    wider = deepcopy(manifest)
    wider["oauth_config"]["scopes"]["bot"].append("files:write")
    return wider


async def announce(client: AsyncWebClient, length: int = len(PNG)) -> tuple[str, str]:
    answer = await client.files_getUploadURLExternal(filename="a.png", length=length)
    return str(answer["upload_url"]), str(answer["file_id"])


async def upload(url: str, data: bytes = PNG) -> int:
    async with aiohttp.ClientSession() as session, session.post(url, data=data) as response:
        return response.status


def image(file_id: str) -> list[dict[str, Any]]:
    return [{"type": "image", "slack_file": {"id": file_id}, "alt_text": "a point"}]


async def refusal(call: Any) -> tuple[str, str]:
    with pytest.raises(SlackApiError) as caught:
        await call
    response = caught.value.response
    return str(response["error"]), str(response.get("response_metadata", {}))


async def test_a_picture_is_uploaded_and_stands_in_a_message(client: AsyncWebClient, slack: Playground):
    url, file_id = await announce(client)
    assert await upload(url) == 200
    done = await client.files_completeUploadExternal(files=[{"id": file_id, "title": "A point"}])
    assert done["files"] == [{"id": file_id, "title": "A point"}]
    posted = await client.chat_postMessage(channel=GENERAL, text="look", blocks=image(file_id))
    assert posted["message"]["blocks"][0]["slack_file"] == {"id": file_id}
    async with aiohttp.ClientSession() as session, session.get(f"{slack.url}/_page/files/{file_id}") as response:
        assert (response.status, response.content_type, await response.read()) == (200, "image/png", PNG)


async def test_what_is_not_whole_cannot_be_shown(client: AsyncWebClient):
    url, file_id = await announce(client)
    assert (await refusal(client.files_completeUploadExternal(files=[{"id": file_id}])))[0] == "file_not_found"
    assert await upload(url, PNG[:-1]) == 400
    assert await upload(url) == 200
    code, said = await refusal(client.chat_postMessage(channel=GENERAL, text="look", blocks=image(file_id)))
    assert code == "invalid_blocks"
    assert "invalid slack file [json-pointer:/blocks/0/slack_file]" in said


async def test_what_is_no_picture_cannot_be_shown(client: AsyncWebClient):
    url, file_id = await announce(client, 5)
    assert await upload(url, b"hello") == 200
    await client.files_completeUploadExternal(files=[{"id": file_id}])
    code, _said = await refusal(client.chat_postMessage(channel=GENERAL, text="look", blocks=image(file_id)))
    assert code == "invalid_blocks"


async def test_a_file_is_completed_once_and_shared_nowhere(client: AsyncWebClient):
    url, file_id = await announce(client)
    assert await upload(url) == 200
    shared = client.files_completeUploadExternal(files=[{"id": file_id}], channel_id=GENERAL)
    assert (await refusal(shared))[0] == "posting_to_channel_denied"
    await client.files_completeUploadExternal(files=[{"id": file_id}])
    assert (await refusal(client.files_completeUploadExternal(files=[{"id": file_id}])))[0] == "file_not_found"


async def test_an_image_comes_from_one_place(client: AsyncWebClient):
    none = [{"type": "image", "alt_text": "nothing"}]
    both = [{**image("F0123456789")[0], "image_url": "https://example.com/a.png"}]
    for blocks in (none, both):
        assert (await refusal(client.chat_postMessage(channel=GENERAL, text="x", blocks=blocks)))[0] == "invalid_blocks"


async def test_unknown_uploads_and_files_are_not_there(client: AsyncWebClient, slack: Playground):
    assert await upload(f"{slack.url}/upload/v1/guess") == 404
    async with aiohttp.ClientSession() as session, session.get(f"{slack.url}/_page/files/F0NOTHERE1") as response:
        assert response.status == 404


class TestWithoutTheScope:
    @pytest.fixture
    def manifest(self, manifest: dict[str, Any]) -> dict[str, Any]:
        narrow = deepcopy(manifest)
        narrow["oauth_config"]["scopes"]["bot"].remove("files:write")
        return narrow

    async def test_nothing_can_be_uploaded(self, client: AsyncWebClient):
        assert (await refusal(client.files_getUploadURLExternal(filename="a.png", length=3)))[0] == "missing_scope"
