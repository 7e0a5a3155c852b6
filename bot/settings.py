"""Settings, read from the environment (prefix `MILEPOST_`). Owns names, defaults and what each is for;
the README's table is checked against the descriptions here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from platformdirs import user_data_path
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from rules.records import Role

SLACK_API = "https://slack.com/api/"


def default_database_url() -> str:
    """SQLite in the user's data directory."""
    return f"sqlite:///{user_data_path('milepost') / 'milepost.db'}"


class Settings(BaseSettings):
    """What an admin may set. Secrets are never logged or shown."""

    model_config = SettingsConfigDict(env_prefix="MILEPOST_", env_file=".env", extra="ignore", frozen=True)

    database_url: str = Field(
        default_factory=default_database_url,
        description="Where the data lives: `sqlite:///path` or `postgresql+psycopg://user@host/name`.",
    )
    slack_bot_token: SecretStr = Field(default=SecretStr(""), description="Bot token of the Slack app, `xoxb-…`.")
    slack_app_token: SecretStr = Field(
        default=SecretStr(""), description="App-level token for Socket Mode, `xapp-…`. Without it Milepost serves HTTP."
    )
    slack_signing_secret: SecretStr = Field(default=SecretStr(""), description="Signing secret, needed for HTTP.")
    slack_signing_secret_previous: SecretStr = Field(
        default=SecretStr(""), description="The signing secret before the last rotation, accepted as well."
    )
    slack_api_url: str = Field(default=SLACK_API, description="Base URL of Slack's Web API.")
    http_host: str = Field(default="127.0.0.1", description="Address to listen on for HTTP.")
    http_port: int = Field(default=3000, ge=0, le=65535, description="Port to listen on for HTTP.")
    metrics_port: int = Field(
        default=0,
        ge=0,
        le=65535,
        description="Port for `/healthz`, `/readyz` and Prometheus' `/metrics`; 0 switches it off.",
    )
    metrics_host: str = Field(
        default="127.0.0.1",
        description="Address of that port. It asks nobody who they are: keep it off the internet.",
    )
    default_role: Role = Field(
        default=Role.CSM,
        description="Role of a new member: `viewer`, `csm`, `lead` or `admin`. Slack admins are admins.",
    )
    resend_unseen: bool = Field(
        default=False,
        description="Send a message again whose fate cannot be looked up because its history is not readable. Off: it "
        "is held for an admin (nothing doubled); on: it goes out (nothing late).",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(default="INFO", description="How much to log.")
    log_format: Literal["text", "json"] = Field(default="text", description="Log lines for people or for machines.")

    @property
    def is_socket_mode(self) -> bool:
        """Whether an app-level token is there."""
        return bool(self.slack_app_token.get_secret_value())

    @property
    def signing_secrets(self) -> tuple[str, ...]:
        """The signing secrets to accept, newest first."""
        both = (self.slack_signing_secret, self.slack_signing_secret_previous)
        return tuple(each.get_secret_value() for each in both if each.get_secret_value())

    @property
    def data_dir(self) -> Path:
        """Where files beside the database go (rejected rows, for instance)."""
        return user_data_path("milepost")
