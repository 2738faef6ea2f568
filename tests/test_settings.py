"""The settings: their defaults, what each may be, and one line about what it may not."""

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from carechat import settings
from carechat.settings import BadSettingError, Settings

SECRET = "a secret of more than thirty-two bytes"
NAMES = [str(field.alias) for field in Settings.model_fields.values()]


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Let nothing be set, but the data directory to an empty one."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setitem(Settings.model_config, "env_file", None)
    monkeypatch.setenv("CARECHAT_DATA_DIR", str(tmp_path / "data"))
    return iter([None])


def load(monkeypatch: pytest.MonkeyPatch, **environment: str) -> Settings:
    """Return the settings in that environment."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return settings.load()


def test_nothing_has_to_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CARECHAT_DATA_DIR")
    loaded = settings.load()
    assert (loaded.host, loaded.port, loaded.workers) == ("127.0.0.1", 8000, 1)
    assert (loaded.mongodb_uri, loaded.mongodb_database) == ("", "carechat")
    assert loaded.data_dir == settings.PROJECT / ".carechat"
    assert (loaded.origin, loaded.https, loaded.on_loopback) == (
        "http://localhost:8000",
        False,
        True,
    )
    assert (loaded.clinic_name, loaded.emergency) == (
        "CareChat",
        "Not for emergencies: call 112 or 911.",
    )
    assert (loaded.bcrypt_cost, loaded.send_allowance) == (12, (5, 20))
    assert (loaded.idle_minutes, loaded.patient_idle_minutes) == (15, 60)
    assert (loaded.embedded, loaded.with_demo) == (True, True)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "0"),
        ("PORT", "70000"),
        ("PORT", "x"),
        ("MONGODB_DATABASE", "a b"),
        ("MONGODB_DATABASE", "x" * 39),
        ("MONGODB_DATABASE", "$a"),
        ("CARECHAT_WORKERS", "2"),
        ("CARECHAT_HOST", ""),
        ("CARECHAT_PUBLIC_URL", "chat.example.com"),
        ("CARECHAT_PUBLIC_URL", "https://chat.example.com/path"),
        ("CARECHAT_PUBLIC_URL", "ftp://chat.example.com"),
        ("CARECHAT_CLINIC_NAME", ""),
        ("CARECHAT_CLINIC_NAME", "x" * 61),
        ("CARECHAT_EMERGENCY", "x" * 201),
        ("CARECHAT_DEMO", "perhaps"),
        ("CARECHAT_BCRYPT_COST", "3"),
        ("CARECHAT_BCRYPT_COST", "17"),
        ("CARECHAT_SEND_RATE", "5"),
        ("CARECHAT_SEND_RATE", "0/5"),
        ("CARECHAT_SEND_RATE", "5/20\n"),
        ("CARECHAT_IDLE_MINUTES", "1"),
        ("CARECHAT_PATIENT_IDLE_MINUTES", "1000"),
    ],
)
def test_a_bad_value_is_told_in_one_line_with_its_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    with pytest.raises(BadSettingError) as refusal:
        load(monkeypatch, **{name: value})
    line = str(refusal.value)
    assert line.startswith(name)
    assert repr(value) in line
    assert "\n" not in line


@pytest.mark.parametrize("secret", ["", "too short", "x" * 31])
def test_a_deployment_needs_a_long_secret_which_is_not_shown(
    monkeypatch: pytest.MonkeyPatch, secret: str
) -> None:
    with pytest.raises(BadSettingError, match="CARECHAT_JWT_SECRET") as refusal:
        load(monkeypatch, MONGODB_URI="mongodb://db.test", CARECHAT_JWT_SECRET=secret)
    assert not secret or secret not in str(refusal.value)


def test_a_cheap_hash_is_for_this_machine_only(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch, CARECHAT_BCRYPT_COST="4").bcrypt_cost == 4
    with pytest.raises(BadSettingError, match="CARECHAT_BCRYPT_COST"):
        load(monkeypatch, CARECHAT_PUBLIC_URL="https://chat.example.com")
    load(monkeypatch, CARECHAT_BCRYPT_COST="10")


@pytest.mark.parametrize(
    ("demo", "uri", "expected"),
    [
        ("", "", True),
        ("0", "", False),
        ("1", "", True),
        ("", "mongodb://db.test", False),
        ("1", "mongodb://db.test", True),
    ],
)
def test_the_demo_is_only_for_the_embedded_database_unless_asked_for(
    monkeypatch: pytest.MonkeyPatch, demo: str, uri: str, expected: bool
) -> None:
    loaded = load(monkeypatch, CARECHAT_DEMO=demo, MONGODB_URI=uri, CARECHAT_JWT_SECRET=SECRET)
    assert (loaded.with_demo, loaded.embedded) == (expected, not uri)


@pytest.mark.parametrize(
    ("url", "origin", "https"),
    [
        ("https://Chat.Example.com/", "https://chat.example.com", True),
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000", False),
    ],
)
def test_the_public_url_is_the_origin_that_is_let_in(
    monkeypatch: pytest.MonkeyPatch, url: str, origin: str, https: bool
) -> None:
    loaded = load(monkeypatch, CARECHAT_PUBLIC_URL=url)
    assert (loaded.origin, loaded.https) == (origin, https)


def test_the_port_is_part_of_the_origin(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch, PORT="8123").origin == "http://localhost:8123"


def test_the_secret_is_made_once_and_readable_by_nobody_else(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    first, second = load(monkeypatch).secret(), load(monkeypatch).secret()
    assert first == second
    assert len(first.encode()) >= 32
    kept = tmp_path / "data" / "jwt-secret"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700


def test_a_given_secret_is_used_and_not_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert load(monkeypatch, CARECHAT_JWT_SECRET=SECRET).secret() == SECRET
    assert not (tmp_path / "data").exists()


def test_what_is_shown_has_every_variable_and_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    uri = "mongodb://carechat:topsecret@db.test"
    shown = load(monkeypatch, MONGODB_URI=uri, CARECHAT_JWT_SECRET=SECRET).masked()
    assert set(NAMES) - set(shown) == {"CARECHAT_EMBEDDED_URI"}
    assert shown["MONGODB_URI"] == shown["CARECHAT_JWT_SECRET"] == "********"
    assert (shown["CARECHAT_PUBLIC_URL"], shown["CARECHAT_DEMO"]) == (
        "http://localhost:8000",
        "False",
    )


def test_settings_are_never_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = load(monkeypatch)
    with pytest.raises(ValueError, match="frozen"):
        loaded.port = 9000  # pyright: ignore[reportAttributeAccessIssue]
