"""Every setting of CareChat: its environment variable, its default, and what it may be."""

import os
import re
import secrets
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PROJECT = Path(__file__).resolve().parent.parent
MIN_SECRET_BYTES = 32
MIN_BCRYPT_COST = 10
LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
SECRETS = frozenset({"mongodb_uri", "embedded_uri", "jwt_secret"})
MONGODB_URI_FORM = (
    "must be like mongodb://name:password@host/?replicaSet=rs0, name and password percent-encoded"
)


class BadSettingError(Exception):
    """A setting that stops the start; in one line: which, what it was, what is allowed."""


class Settings(BaseSettings):
    """The effective settings, from the environment or `.env` beside the project."""

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", env_file=PROJECT / ".env", populate_by_name=True
    )

    mongodb_uri: Annotated[str, Field(alias="MONGODB_URI")] = ""
    mongodb_database: Annotated[
        str, Field(alias="MONGODB_DATABASE", pattern=r"^[A-Za-z0-9_-]{1,38}$")
    ] = "carechat"
    embedded_uri: Annotated[str, Field(alias="CARECHAT_EMBEDDED_URI")] = ""
    data_dir: Annotated[Path, Field(alias="CARECHAT_DATA_DIR")] = PROJECT / ".carechat"
    jwt_secret: Annotated[str, Field(alias="CARECHAT_JWT_SECRET")] = ""
    host: Annotated[str, Field(alias="CARECHAT_HOST", min_length=1)] = "127.0.0.1"
    port: Annotated[int, Field(alias="PORT", ge=1, le=65_535)] = 8000
    workers: Annotated[int, Field(alias="CARECHAT_WORKERS", ge=1, le=1)] = 1
    public_url: Annotated[str, Field(alias="CARECHAT_PUBLIC_URL")] = ""
    clinic_name: Annotated[
        str, Field(alias="CARECHAT_CLINIC_NAME", min_length=1, max_length=60)
    ] = "CareChat"
    emergency: Annotated[str, Field(alias="CARECHAT_EMERGENCY", min_length=1, max_length=200)] = (
        "Not for emergencies: call 112 or 911."
    )
    demo: Annotated[bool | None, Field(alias="CARECHAT_DEMO")] = None
    bcrypt_cost: Annotated[int, Field(alias="CARECHAT_BCRYPT_COST", ge=4, le=16)] = 12
    send_rate: Annotated[
        str, Field(alias="CARECHAT_SEND_RATE", pattern=r"^[1-9]\d{0,5}/[1-9]\d{0,5}$")
    ] = "5/20"
    idle_minutes: Annotated[int, Field(alias="CARECHAT_IDLE_MINUTES", ge=2, le=720)] = 15
    patient_idle_minutes: Annotated[
        int, Field(alias="CARECHAT_PATIENT_IDLE_MINUTES", ge=2, le=720)
    ] = 60

    @field_validator("mongodb_uri")
    @classmethod
    def _a_deployment(cls, value: str) -> str:
        if value and not re.match(r"mongodb(\+srv)?://.", value):
            raise ValueError(MONGODB_URI_FORM)
        return value

    @field_validator("demo", mode="before")
    @classmethod
    def _unset_when_empty(cls, value: object) -> object:
        return None if value == "" else value

    @field_validator("data_dir")
    @classmethod
    def _beside_the_project(cls, value: Path) -> Path:
        return value if value.is_absolute() else PROJECT / value

    @field_validator("public_url")
    @classmethod
    def _an_origin(cls, value: str) -> str:
        if value and not re.fullmatch(r"https?://[A-Za-z0-9.\-\[\]:]+/?", value):
            raise ValueError("an origin such as https://chat.example.com, without a path")
        return value.rstrip("/").lower()

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        required = self.mongodb_uri or self.jwt_secret
        if required and len(self.jwt_secret.encode()) < MIN_SECRET_BYTES:
            raise ValueError(
                f"CARECHAT_JWT_SECRET: must have {MIN_SECRET_BYTES} bytes or more with MONGODB_URI"
            )
        if self.bcrypt_cost < MIN_BCRYPT_COST and not self.on_loopback:
            raise ValueError(
                f"CARECHAT_BCRYPT_COST: {self.bcrypt_cost}, must be {MIN_BCRYPT_COST} or more "
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
        return self.public_url or f"http://localhost:{self.port}"

    @property
    def https(self) -> bool:
        """Whether cookies are Secure and HSTS is sent."""
        return self.origin.startswith("https:")

    @property
    def on_loopback(self) -> bool:
        """Whether the public URL names this machine only."""
        return urlsplit(self.origin).hostname in LOOPBACK_HOSTS

    @property
    def send_allowance(self) -> tuple[int, int]:
        """Messages per second, and how many at once, for each user."""
        rate, burst = self.send_rate.split("/")
        return int(rate), int(burst)

    def secret(self) -> str:
        """The JWT secret; with the embedded MongoDB it is generated once and kept, mode 0600."""
        if self.jwt_secret:
            return self.jwt_secret
        return _kept_secret(self.data_dir / "jwt-secret")

    def masked(self) -> dict[str, str]:
        """Each environment variable with its effective value, secrets hidden."""
        shown: dict[str, str] = {}
        for name, field in type(self).model_fields.items():
            if name == "embedded_uri":  # `serve` tells its workers, nobody sets it
                continue
            value = str(self.effective.get(name, getattr(self, name)))
            shown[str(field.alias)] = "********" if name in SECRETS and value else value
        return shown

    @property
    def effective(self) -> dict[str, object]:
        """What the settings that depend on others come to."""
        return {"public_url": self.origin, "demo": self.with_demo}


def load() -> Settings:
    """Read the settings; raises `BadSettingError` for the first bad one."""
    try:
        return Settings()
    except ValidationError as error:
        raise BadSettingError(_one_line(error)) from None


def _one_line(error: ValidationError) -> str:
    first = error.errors()[0]
    message = first["msg"].removeprefix("Value error, ")
    if not first["loc"]:
        return message
    name = str(first["loc"][0])
    secret = name.lower().removeprefix("carechat_") in SECRETS
    was = ":" if secret else f" is {first['input']!r}:"
    return f"{name}{was} {message[:1].lower()}{message[1:]}"


def _kept_secret(path: Path) -> str:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text()
    with os.fdopen(descriptor, "w") as file:
        file.write(secret := secrets.token_urlsafe(48))
    return secret
