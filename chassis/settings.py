"""One frozen Settings per process, read once from `CHITIEU_*` (or `CHITIEU_*_FILE`, which names a file)."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, IPvAnyNetwork, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

SERVICES = ("plans", "indicators", "budget")


class Environment(StrEnum):
    """`demo` lets sample rows and demo tokens in; `production` refuses both."""

    DEMO = "demo"
    PRODUCTION = "production"


class Settings(BaseSettings):
    """Every setting of every process; `deploy/env.example` lists them all with unit and default."""

    model_config = SettingsConfigDict(env_prefix="CHITIEU_", env_ignore_empty=True, frozen=True, extra="ignore")

    environment: Environment = Field(Environment.PRODUCTION, description="demo or production")
    data_dir: Path = Field(Path(".chitieu"), description="folder of the embedded database and the local keys")
    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8000, ge=0, le=65535, description="TCP port to listen on")
    trusted_proxies: str = Field(
        "127.0.0.1", description="addresses and networks believed when they name the caller's (X-Forwarded-For)"
    )
    public_url: str | None = Field(
        None,
        pattern=r"^https?://[^\s/?#@]+(/[^\s?#]*)?$",
        description="base URL others reach the house at, which events and schemas name; production needs it",
    )

    database_url: SecretStr | None = Field(
        None, description="PostgreSQL URL of a role that may create roles and schemas; unset: embedded server"
    )
    plans_database_url: SecretStr | None = Field(None, description="PostgreSQL URL of the plans service's login role")
    indicators_database_url: SecretStr | None = Field(
        None, description="PostgreSQL URL of the indicators service's login role"
    )
    budget_database_url: SecretStr | None = Field(None, description="PostgreSQL URL of the budget service's login role")
    plans_admin_database_url: SecretStr | None = Field(
        None, description="URL `migrate` uses for plans; unset: CHITIEU_DATABASE_URL"
    )
    indicators_admin_database_url: SecretStr | None = Field(
        None, description="URL `migrate` uses for indicators; unset: CHITIEU_DATABASE_URL"
    )
    budget_admin_database_url: SecretStr | None = Field(
        None, description="URL `migrate` uses for budget; unset: CHITIEU_DATABASE_URL"
    )
    database_pool_size: int = Field(
        8, ge=1, description="open connections per service; five more run imports and the log"
    )
    database_pool_timeout_seconds: float = Field(5, gt=0, description="wait for a free connection, seconds")
    unsafe_database: bool = Field(
        False, description="serve on a database that may lose confirmed data in a crash (fsync off, and the like)"
    )
    statement_timeout_seconds: float = Field(30, gt=0, description="longest statement, seconds")
    lock_timeout_seconds: float = Field(5, gt=0, description="longest wait for a lock, seconds")

    plans_url: str | None = Field(None, description="base URL of the plans service; unset: in this process")
    indicators_url: str | None = Field(None, description="base URL of the indicators service; unset: in this process")
    budget_url: str | None = Field(None, description="base URL of the budget service; unset: in this process")

    issuer: str = Field("chitieu", description="`iss` of accepted tokens")
    audience: str = Field("chitieu", description="`aud` of accepted tokens")
    jwks_file: Path | None = Field(None, description="file with the public keys that sign tokens (JWKS)")
    jwks_url: str | None = Field(None, description="URL of the public keys that sign tokens (provincial SSO)")
    jwks_refresh_seconds: float = Field(300, gt=0, description="age at which keys are read again, seconds")
    signing_key_file: Path | None = Field(
        None,
        description="private key for `chitieu token` and the house's own followers (JWK); unset: data folder",
    )
    receipt_key_file: Path | None = Field(
        None, description="private key that signs receipts (JWK, or JWKS whose first signs); unset: the local key"
    )
    service_token: SecretStr | None = Field(
        None, description="token of the followers; unset: minted from the local signing key"
    )
    cors_origins: Annotated[list[str], NoDecode] = Field(
        default=[], description="origins of browser pages, separated by commas; unset: any while public_read is on"
    )
    public_read: bool = Field(False, description="anonymous callers may read what is public")

    max_document_bytes: int = Field(8 * 1024 * 1024, gt=0, description="largest body elsewhere, bytes")
    max_import_bytes: int = Field(1024 * 1024 * 1024, gt=0, description="largest import as it is sent, bytes")
    max_import_rows: int = Field(5_000_000, gt=0, description="most rows of one import")
    max_import_piece_bytes: int = Field(8 * 1024 * 1024, gt=0, description="largest piece of an import, bytes")
    import_lease_seconds: float = Field(30, gt=0, description="silence after which an import is taken over, seconds")
    import_poll_seconds: float = Field(0.5, gt=0, description="pause between looks for imports to run, seconds")
    import_timeout_seconds: float = Field(3600, gt=0, description="longest statement of an import, seconds")
    import_upload_hours: int = Field(
        48, ge=1, description="hours without a piece after which an import that is not all sent is forgotten"
    )
    import_kept_days: int = Field(30, ge=1, description="days for which imports are kept")
    max_bulk_bytes: int = Field(64 * 1024 * 1024, gt=0, description="largest body of rows at once, bytes as sent")
    max_unpacked_bytes: int = Field(256 * 1024 * 1024, gt=0, description="the same, unpacked, bytes")
    request_timeout_seconds: float = Field(60, gt=0, description="longest request but streams, seconds")
    graphql_max_body_bytes: int = Field(100_000, gt=0, description="largest GraphQL body, bytes")
    graphql_max_cost: int = Field(50_000, gt=0, description="largest cost of one GraphQL operation, objects")
    graphql_cost_per_minute: int = Field(
        1_000_000, gt=0, description="cost one caller may ask for in a minute, objects"
    )
    graphql_introspection: bool = Field(True, description="answer introspection queries")
    upstream_timeout_seconds: float = Field(10, gt=0, description="gateway waits for a service, seconds")
    upstream_max_bytes: int = Field(32 * 1024 * 1024, gt=0, description="largest reply of a service, bytes")

    sequencer_poll_seconds: float = Field(0.25, gt=0, description="pause of an idle sequencer, seconds")
    sequencer_batch: int = Field(5000, ge=1, description="events moved in one pass")
    events_kept_days: int = Field(
        90, ge=1, description="days for which events stay in the log before they are archived"
    )
    archive_dir: Path | None = Field(
        None, description="folder of archived events, one for all processes of a service; unset: in the data folder"
    )
    follower_wait_seconds: float = Field(20, ge=0, le=25, description="long poll of a follower, seconds")
    max_streams: int = Field(1000, ge=0, description="most streams of changes one process of a service has open")
    max_streams_per_caller: int = Field(50, ge=0, description="the same of one client, or of one address without token")
    stream_seconds: float = Field(900, gt=0, description="longest stream of changes; it is then opened anew, seconds")
    stream_ping_seconds: float = Field(15, gt=0, description="a silent stream says that it lives, seconds")
    stream_send_timeout_seconds: float = Field(
        30, gt=0, description="a listener that takes nothing for so long is cut off, seconds"
    )

    webhook_allowed_networks: Annotated[list[IPvAnyNetwork], NoDecode] = Field(
        default=[], description="networks of our own that webhooks may reach (CIDR), separated by commas"
    )
    webhook_key_file: Path | None = Field(
        None, description="key that seals webhooks' secrets (JWK, or JWKS whose first seals); unset: data folder"
    )
    webhook_in_flight: int = Field(16, ge=1, le=1000, description="most deliveries at once to one receiver")
    webhook_timeout_seconds: float = Field(15, gt=0, description="longest wait for a receiver's answer, seconds")
    webhook_retry_seconds: str = Field(
        "5,300,1800,7200,18000,36000,50400,72000,86400",
        pattern=r"^\d+(\.\d+)?(,\d+(\.\d+)?)*$",
        description="waits before each further try of an event, the last one for all after it; seconds",
    )
    webhook_lease_seconds: float = Field(
        15, gt=0, description="silence after which another process delivers a webhook, seconds"
    )
    webhook_poll_seconds: float = Field(0.5, gt=0, description="pause between looks for webhooks to deliver, seconds")
    webhook_failing_days: float = Field(5, gt=0, description="days of nothing but failures that pause a webhook")
    webhook_log_days: int = Field(30, ge=1, description="days for which the log of deliveries is kept")
    webhook_max_per_client: int = Field(50, ge=1, description="most webhooks of one client in one service")

    nats_url: SecretStr | None = Field(
        None, description="NATS servers, separated by commas (nats://host:4222, tls://…); unset: no JetStream"
    )
    nats_credentials_file: Path | None = Field(
        None, description="credentials for NATS (.creds); unset: as the URL says"
    )
    nats_ca_file: Path | None = Field(
        None, description="certificates that vouch for the NATS servers (PEM); unset: those of the system"
    )
    nats_certificate_file: Path | None = Field(
        None, description="our own certificate for NATS (PEM), with its key file"
    )
    nats_key_file: Path | None = Field(None, description="the key of our own certificate for NATS (PEM)")
    nats_monitor_url: Annotated[list[str], NoDecode] = Field(
        default=[], description="monitoring addresses of all NATS servers, separated by commas, to ask for sync_always"
    )

    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR")
    log_format: str = Field("json", description="json or text")

    @field_validator("cors_origins", "webhook_allowed_networks", "nats_monitor_url", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("public_url")
    @classmethod
    def _without_end(cls, value: str | None) -> str | None:
        return value.rstrip("/") if value else None

    def database_url_of(self, service: str) -> str | None:
        """The login URL of one service, if one is set."""
        secret: SecretStr | None = getattr(self, f"{service}_database_url")
        return secret.get_secret_value() if secret else None

    def admin_url_of(self, service: str) -> str | None:
        """The URL that may migrate one service's schema, if one is set."""
        secret: SecretStr | None = getattr(self, f"{service}_admin_database_url") or self.database_url
        return secret.get_secret_value() if secret else None

    def url_of(self, service: str) -> str | None:
        """The base URL of one service; None when it lives in this process."""
        url: str | None = getattr(self, f"{service}_url")
        return url

    @property
    def webhook_waits(self) -> tuple[float, ...]:
        """The waits before each further try of an event, seconds."""
        return tuple(float(each) for each in self.webhook_retry_seconds.split(","))

    @property
    def archives(self) -> Path:
        """The folder of archived events."""
        return self.archive_dir or self.data_dir / "archives"

    @property
    def is_demo(self) -> bool:
        """Whether sample rows and demo tokens are let in."""
        return self.environment is Environment.DEMO


def read_settings(**overrides: object) -> Settings:
    """Read the environment once. `CHITIEU_X_FILE` fills `CHITIEU_X` from a file, for secrets.

    Raises:
        ValueError: a setting is out of its range (pydantic names it).
    """
    from_files: dict[str, object] = {}
    for name in Settings.model_fields:
        path = os.environ.get(f"CHITIEU_{name.upper()}_FILE")
        if path and f"{name}_file" not in Settings.model_fields:
            from_files[name] = Path(path).read_text(encoding="utf-8").strip()
    return Settings(**{**from_files, **overrides})  # type: ignore[arg-type]  # pydantic checks the values
