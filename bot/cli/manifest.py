"""`milepost manifest`: the app manifest for Slack, printed or checked against the committed file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bot.registry import SLICES
from bot.slack.manifest import build_manifest, render_yaml
from bot.wiring import with_help
from rules.errors import UserError

MANIFEST = Path(__file__).resolve().parent.parent.parent / "manifest.yml"


def manifest(
    *,
    check: Annotated[bool, typer.Option(help="Only say whether manifest.yml is what the code would make.")] = False,
    write: Annotated[bool, typer.Option(help="Write manifest.yml.")] = False,
    url: Annotated[str, typer.Option(help="Public URL of `milepost run`, for HTTP in place of Socket Mode.")] = "",
) -> None:
    """Print the Slack app manifest: paste it at api.slack.com/apps, "Create New App", "From a manifest"."""
    text = render_yaml(build_manifest(with_help(SLICES), is_socket_mode=not url, url=url))
    if check:
        if not MANIFEST.is_file() or MANIFEST.read_text(encoding="utf-8") != text:
            raise UserError("manifest.yml is not what the code makes. Run: uv run milepost manifest --write")
        typer.echo("manifest.yml is up to date.")
    elif write:
        MANIFEST.write_text(text, encoding="utf-8")
        typer.echo(f"Wrote {MANIFEST.name}.")
    else:
        typer.echo(text, nl=False)
