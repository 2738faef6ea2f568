"""Every setting of CareChat: its environment variable, its default, and what it may be."""

import difflib
import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, DotEnvSettingsSource, SettingsConfigDict

from carechat import addresses
from carechat.addresses import Network

PROJECT = Path(__file__).resolve().parent.parent
MIN_SECRET_BYTES = 32
MIN_BCRYPT_COST = 10
SECRETS = frozenset({"mongodb_uri", "redis_url", "jwt_secret", "metrics_token"})
MONGODB_URI_FORM = (
    "like mongodb://name:password@host/?replicaSet=rs0, name and password percent-encoded"
)
PREFIX = "CARECHAT_"
NO_SETTINGS = frozenset(
    {
        "CARECHAT_MONGOD",
        "CARECHAT_EMBEDDED_URI",
        "CARECHAT_METRICS_DIR",
        "CARECHAT_PULSE",
        "CARECHAT_RUN_PORT",
        "CARECHAT_E2E_PORT",
        "CARECHAT_BENCH_PORT",
        "CARECHAT_FAULTS_PORT",
        "CARECHAT_CHROMIUM",
    }
)
"""What this machine has, what the processes tell each other, and what is for the tests alone."""

REDIS_URL_FORM = "like redis://name:password@host:6379/0, or rediss:// with TLS"


class BadSettingError(Exception):
    """A setting that stops the start; in one line: which, what it was, what is allowed."""


class Settings(BaseSettings):
    """The effective settings, from the environment or `.env` beside the project.

    A field's description says what is allowed, as it follows "must be".
    """

    model_config = SettingsConfigDict(
        frozen=True,
        extra="ignore",
        env_file=PROJECT / ".env",
        populate_by_name=True,
        validate_default=False,
    )

    mongodb_uri: Annotated[
        str,
        Field(alias="MONGODB_URI", pattern=r"^mongodb(\+srv)?://.", description=MONGODB_URI_FORM),
    ] = ""
    mongodb_database: Annotated[
        str,
        Field(
            alias="MONGODB_DATABASE",
            pattern=r"^[A-Za-z0-9_-]{1,38}$",
            description="1 to 38 of the letters A to Z and a to z, digits, _ and -",
        ),
    ] = "carechat"
    redis_url: Annotated[
        str, Field(alias="REDIS_URL", pattern=r"^rediss?://.", description=REDIS_URL_FORM)
    ] = ""
    data_dir: Annotated[
        Path, Field(alias="CARECHAT_DATA_DIR", description="the path of a directory")
    ] = PROJECT / ".carechat"
    jwt_secret: Annotated[
        str, Field(alias="CARECHAT_JWT_SECRET", description=f"{MIN_SECRET_BYTES} bytes or more")
    ] = ""
    host: Annotated[str, Field(alias="CARECHAT_HOST", description="an address to listen on")] = (
        "127.0.0.1"
    )
    port: Annotated[
        int, Field(alias="PORT", ge=1, le=65_535, description="a number from 1 to 65535")
    ] = 8000
    workers: Annotated[
        int,
        Field(alias="CARECHAT_WORKERS", ge=1, le=64, description="a number from 1 to 64"),
    ] = 1
    public_url: Annotated[
        str,
        Field(
            alias="CARECHAT_PUBLIC_URL",
            description="like https://chat.example.com or http://localhost:8000, without a path",
        ),
    ] = ""
    trusted_proxies: Annotated[
        str,
        Field(
            alias="CARECHAT_TRUSTED_PROXIES",
            description="addresses and networks, separated by commas, like 127.0.0.1,10.0.0.0/8",
        ),
    ] = ""
    metrics_token: Annotated[
        str,
        Field(
            alias="CARECHAT_METRICS_TOKEN",
            pattern=r"^[!-~]{16,}$",
            description="16 or more letters, digits and signs, without spaces",
        ),
    ] = ""
    sockets_per_address: Annotated[
        int,
        Field(
            alias="CARECHAT_SOCKETS_PER_ADDRESS",
            ge=1,
            le=1_000_000,
            description="a number from 1 to 1000000",
        ),
    ] = 1_000
    clinic_name: Annotated[
        str,
        Field(alias="CARECHAT_CLINIC_NAME", max_length=60, description="60 characters at most"),
    ] = "CareChat"
    emergency: Annotated[
        str,
        Field(alias="CARECHAT_EMERGENCY", max_length=200, description="200 characters at most"),
    ] = "Not for emergencies: call 112 or 911."
    demo: Annotated[bool | None, Field(alias="CARECHAT_DEMO", description="1 or 0")] = None
    bcrypt_cost: Annotated[
        int, Field(alias="CARECHAT_BCRYPT_COST", ge=4, le=16, description="a number from 4 to 16")
    ] = 12
    send_rate: Annotated[
        str,
        Field(
            alias="CARECHAT_SEND_RATE",
            pattern=r"^[1-9]\d{0,5}/[1-9]\d{0,5}$",
            description="messages a second / at once, like 5/20, each from 1 to 999999",
        ),
    ] = "5/20"
    idle_minutes: Annotated[
        int,
        Field(alias="CARECHAT_IDLE_MINUTES", ge=2, le=720, description="a number from 2 to 720"),
    ] = 15
    patient_idle_minutes: Annotated[
        int,
        Field(
            alias="CARECHAT_PATIENT_IDLE_MINUTES",
            ge=2,
            le=720,
            description="a number from 2 to 720",
        ),
    ] = 60

    @model_validator(mode="before")
    @classmethod
    def _unset_when_empty(cls, given: dict[str, Any]) -> dict[str, Any]:
        # Not env_ignore_empty: an empty variable also takes back the line in `.env`.
        return {name: value for name, value in given.items() if str(value).strip()}

    @field_validator("data_dir")
    @classmethod
    def _beside_the_project(cls, value: Path) -> Path:
        return value if value.is_absolute() else PROJECT / value

    @field_validator("jwt_secret")
    @classmethod
    def _long_enough(cls, value: str) -> str:
        if len(value.encode()) < MIN_SECRET_BYTES:
            raise ValueError
        return value

    @field_validator("public_url")
    @classmethod
    def _an_origin(cls, value: str) -> str:
        return addresses.origin(value)

    @field_validator("trusted_proxies")
    @classmethod
    def _some_networks(cls, value: str) -> str:
        addresses.networks(value)
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.mongodb_uri and not self.jwt_secret:
            raise ValueError(
                "CARECHAT_JWT_SECRET is not set: "
                f"must be {MIN_SECRET_BYTES} bytes or more with MONGODB_URI"
            )
        if self.workers > 1 and not self.redis_url:
            raise ValueError(
                f"CARECHAT_WORKERS is '{self.workers}': must be 1 without REDIS_URL, "
                "through which several tell each other what happens"
            )
        if self.bcrypt_cost < MIN_BCRYPT_COST and not self.on_loopback:
            raise ValueError(
                f"CARECHAT_BCRYPT_COST is '{self.bcrypt_cost}': must be {MIN_BCRYPT_COST} or more "
                "unless the public URL is a loopback address"
            )
        return self

    @property
    def embedded(self) -> bool:
        """Whether CareChat runs its own MongoDB."""
        return not self.mongodb_uri

    @property
    def with_demo(self) -> bool:
        """Whether the demo clinic is loaded and its accounts are shown."""
        return self.embedded if self.demo is None else self.demo

    @property
    def origin(self) -> str:
        """The one browser origin that is let in."""
        return self.public_url or addresses.origin(f"http://localhost:{self.port}")

    @property
    def https(self) -> bool:
        """Whether cookies are Secure and HSTS is sent."""
        return self.origin.startswith("https:")

    @property
    def on_loopback(self) -> bool:
        """Whether the public URL names this machine only."""
        return addresses.is_loopback(self.origin)

    @property
    def send_allowance(self) -> tuple[int, int]:
        """Messages per second, and how many at once, for each user."""
        rate, burst = self.send_rate.split("/")
        return int(rate), int(burst)

    @property
    def proxies(self) -> tuple[Network, ...]:
        """Whose word about where a request comes from is believed."""
        return addresses.networks(self.trusted_proxies)

    def secret(self) -> str:
        """The JWT secret; with the embedded MongoDB it is generated once and kept, mode 0600."""
        if self.jwt_secret:
            return self.jwt_secret
        return _kept_secret(self.data_dir / "jwt-secret")

    def masked(self) -> dict[str, str]:
        """Each environment variable with its effective value, secrets hidden."""
        shown: dict[str, str] = {}
        for name, field in type(self).model_fields.items():
            value = str(self.effective.get(name, getattr(self, name)))
            shown[str(field.alias)] = "********" if name in SECRETS and value else value
        return shown

    @property
    def effective(self) -> dict[str, object]:
        """What the settings that depend on others come to."""
        return {"public_url": self.origin, "demo": self.with_demo}


def load() -> Settings:
    """Read the settings; raises `BadSettingError` for the first bad one, or a name that is none."""
    _check_names()
    try:
        return Settings()
    except ValidationError as error:
        raise BadSettingError(_one_line(error)) from None


def _check_names() -> None:
    """A misspelt name would leave what it was meant to change as it is."""
    settings = {str(field.alias) for field in Settings.model_fields.values()}
    for name in sorted({*os.environ, *map(str.upper, DotEnvSettingsSource(Settings).env_vars)}):
        if name.startswith(PREFIX) and name not in settings | NO_SETTINGS:
            meant = {one.removeprefix(PREFIX): one for one in settings}
            close = difflib.get_close_matches(name.removeprefix(PREFIX), meant, 1)
            hint = f"did you mean {meant[close[0]]}?" if close else "see docs/operations.md"
            raise BadSettingError(f"{name} is no setting: {hint}")


def _one_line(error: ValidationError) -> str:
    first = error.errors()[0]
    if not first["loc"]:
        return first["msg"].removeprefix("Value error, ")
    alias = str(first["loc"][0])
    name, allowed = _field(alias)
    was = "" if name in SECRETS else f" is {first['input']!r}"
    return f"{alias}{was}: must be {allowed}"


def _field(alias: str) -> tuple[str, str]:
    """The name of the field that the variable sets, and what it may be."""
    fields = Settings.model_fields.items()
    return next((name, field.description or "") for name, field in fields if field.alias == alias)


def _kept_secret(path: Path) -> str:
    """What the file holds; whoever comes first, of workers that start at once, writes all of it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        new = path.with_name(f"{path.name}.{os.getpid()}")
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48))
        with suppress(FileExistsError):
            os.link(new, path)
        new.unlink()
    return path.read_text()
