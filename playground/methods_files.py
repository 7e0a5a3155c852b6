"""files.getUploadURLExternal and files.completeUploadExternal, and what messages may show of a file.

Owns these two methods and the check of `slack_file` in image blocks. Sharing into channels is refused, not simulated.
Source: Slack's reference, "files.getUploadURLExternal", "files.completeUploadExternal" and "Slack file object".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from playground.errors import RefusalError
from playground.files import LONGEST
from playground.messages import decode
from playground.method import AnyMethod, Arguments, Call, Method
from playground.model import Json


class GetUploadUrl(Arguments):
    """Arguments of files.getUploadURLExternal; `length` is in bytes."""

    filename: str = Field(min_length=1)
    length: int = Field(ge=1)
    alt_txt: str | None = None
    snippet_type: str | None = None


class CompleteUpload(Arguments):
    """Arguments of files.completeUploadExternal. With a channel it would share the file there."""

    files: Any
    channel_id: str | None = None
    channels: str | None = None
    initial_comment: str | None = None
    thread_ts: str | None = None


class NamedFile(BaseModel):
    """An entry of `files`."""

    model_config = ConfigDict(extra="forbid", strict=True)

    id: str
    title: str | None = None


def get_upload_url(call: Call, args: GetUploadUrl) -> Json:
    """Where to send the bytes of a new file."""
    if args.length > LONGEST:
        raise RefusalError("file_upload_size_restricted")
    file = call.core.files.announce(call.workspace.ids, call.app.app_id, args.filename, args.length)
    return {"upload_url": f"{call.core.url}/upload/v1/{file.token}", "file_id": file.id}


def complete_upload(call: Call, args: CompleteUpload) -> Json:
    """The files are whole; private to the app, as no channel is given.

    Raises:
        RefusalError: file_not_found, posting_to_channel_denied (the playground shares none), invalid_arguments.
    """
    if args.channel_id or args.channels:
        raise RefusalError("posting_to_channel_denied")
    named = read_files(decode(args.files, "invalid_arguments"))
    found = [call.core.files.by_id.get(each.id) for each in named]
    for file in found:
        if file is None or file.app_id != call.app.app_id or file.data is None or file.is_complete:
            raise RefusalError("file_not_found")
    for file, each in zip(found, named, strict=True):
        if file is not None:
            file.is_complete, file.title = True, each.title or file.name
    return {"files": [{"id": file.id, "title": file.title} for file in found if file is not None]}


def read_files(files: Any) -> list[NamedFile]:
    """The entries of `files`; raises RefusalError `invalid_arguments`."""
    if not isinstance(files, list) or not files:
        raise RefusalError("invalid_arguments", ["[ERROR] must be a list [json-pointer:/files]"])
    try:
        return [NamedFile.model_validate(each) for each in files]
    except ValidationError as error:
        raise RefusalError("invalid_arguments", ["[ERROR] invalid file [json-pointer:/files]"]) from error


def check_pictures(call: Call, blocks: Sequence[Json]) -> None:
    """Refuse image blocks of files that the app has not, with Slack's own words."""
    for place, block in enumerate(blocks):
        shown = block.get("slack_file") if block["type"] == "image" else None
        if shown is not None and call.core.files.find_picture(str(shown.get("id", "")), call.app.app_id) is None:
            raise RefusalError(
                "invalid_blocks", [f"[ERROR] invalid slack file [json-pointer:/blocks/{place}/slack_file]"]
            )


METHODS: dict[str, AnyMethod] = {
    "files.getUploadURLExternal": Method(GetUploadUrl, get_upload_url, "files:write"),
    "files.completeUploadExternal": Method(CompleteUpload, complete_upload, "files:write"),
}
