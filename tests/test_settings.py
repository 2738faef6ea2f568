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


NUMBER = "a number from "
DATABASE = "1 to 38 of the letters A to Z and a to z, digits, _ and -"
PROXIES = "addresses and networks, separated by commas, like 127.0.0.1,10.0.0.0/8"
URL = "like https://chat.example.com or http://localhost:8000, without a path"
RATE = "messages a second / at once, like 5/20, each from 1 to 999999"


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("PORT", "0", NUMBER + "1 to 65535"),
        ("PORT", "70000", NUMBER + "1 to 65535"),
        ("PORT", "x", NUMBER + "1 to 65535"),
        ("MONGODB_DATABASE", "a b", DATABASE),
        ("MONGODB_DATABASE", "x" * 39, DATABASE),
        ("MONGODB_DATABASE", "$a", DATABASE),
        ("CARECHAT_WORKERS", "0", NUMBER + "1 to 64"),
        ("CARECHAT_PUBLIC_URL", "chat.example.com", URL),
        ("CARECHAT_PUBLIC_URL", "https://chat.example.com/path", URL),
        ("CARECHAT_PUBLIC_URL", "https://chat.example.com?query", URL),
        ("CARECHAT_PUBLIC_URL", "https://me:hush@chat.example.com", URL),
        ("CARECHAT_PUBLIC_URL", "ftp://chat.example.com", URL),
        ("CARECHAT_PUBLIC_URL", "http://", URL),
        ("CARECHAT_PUBLIC_URL", "http://[", URL),
        ("CARECHAT_PUBLIC_URL", "http://[::x]", URL),
        ("CARECHAT_PUBLIC_URL", "http://[fe80::1%eth0]", URL),
        ("CARECHAT_PUBLIC_URL", "http://...", URL),
        ("CARECHAT_PUBLIC_URL", "http://-a.example.com", URL),
        ("CARECHAT_PUBLIC_URL", "http://127.1", URL),
        ("CARECHAT_PUBLIC_URL", "http://m\xfcnchen.example.com", URL),
        ("CARECHAT_PUBLIC_URL", "https://a:b:c", URL),
        ("CARECHAT_PUBLIC_URL", "http://localhost:99999999", URL),
        ("CARECHAT_PUBLIC_URL", "http://localhost:0", URL),
        ("CARECHAT_TRUSTED_PROXIES", "proxy.example.com", PROXIES),
        ("CARECHAT_TRUSTED_PROXIES", "127.0.0.1 10.0.0.1", PROXIES),
        ("CARECHAT_TRUSTED_PROXIES", "10.0.0.1/8", PROXIES),
        ("CARECHAT_TRUSTED_PROXIES", "10.0.0.0/33", PROXIES),
        ("CARECHAT_TRUSTED_PROXIES", "127.0.0.1,::/0", PROXIES),
        ("CARECHAT_TRUSTED_PROXIES", "*", PROXIES),
        ("CARECHAT_SOCKETS_PER_ADDRESS", "0", NUMBER + "1 to 1000000"),
        ("CARECHAT_CLINIC_NAME", "x" * 61, "60 characters at most"),
        ("CARECHAT_EMERGENCY", "x" * 201, "200 characters at most"),
        ("CARECHAT_DEMO", "perhaps", "1 or 0"),
        ("CARECHAT_BCRYPT_COST", "3", NUMBER + "4 to 16"),
        ("CARECHAT_BCRYPT_COST", "17", NUMBER + "4 to 16"),
        ("CARECHAT_SEND_RATE", "5", RATE),
        ("CARECHAT_SEND_RATE", "0/5", RATE),
        ("CARECHAT_SEND_RATE", "5/20\n", RATE),
        ("CARECHAT_IDLE_MINUTES", "1", NUMBER + "2 to 720"),
        ("CARECHAT_PATIENT_IDLE_MINUTES", "1000", NUMBER + "2 to 720"),
    ],
)
def test_a_bad_value_is_told_in_one_line_with_its_name_and_what_is_allowed(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, allowed: str
) -> None:
    with pytest.raises(BadSettingError) as refusal:
        load(monkeypatch, **{name: value})
    assert str(refusal.value) == f"{name} is {value!r}: must be {allowed}"


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("CARECHAT_PORT", "did you mean PORT?"),
        ("CARECHAT_DEM0", "did you mean CARECHAT_DEMO?"),
        ("CARECHAT_MONGODB_URI", "did you mean MONGODB_URI?"),
        ("CARECHAT_XYZ", "see docs/operations.md"),
    ],
)
@pytest.mark.parametrize("is_in_a_file", [True, False])
def test_a_name_that_is_no_setting_is_told_and_not_passed_over(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, hint: str, is_in_a_file: bool
) -> None:
    if is_in_a_file:
        (tmp_path / ".env").write_text(f"{name}=1\n")
        monkeypatch.setitem(Settings.model_config, "env_file", tmp_path / ".env")
    else:
        monkeypatch.setenv(name, "1")
    with pytest.raises(BadSettingError) as refusal:
        settings.load()
    assert str(refusal.value) == f"{name} is no setting: {hint}"


def test_nobody_is_believed_about_others_unless_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings.load().proxies == ()
    named = load(monkeypatch, CARECHAT_TRUSTED_PROXIES="127.0.0.1, 10.0.0.0/8 ,fd00::/8,")
    assert [str(one) for one in named.proxies] == ["127.0.0.1/32", "10.0.0.0/8", "fd00::/8"]


@pytest.mark.parametrize("token", ["short", "x" * 15, "with a space in it", "x" * 16 + "\n"])
def test_a_token_for_the_metrics_is_long_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    with pytest.raises(BadSettingError) as refusal:
        load(monkeypatch, CARECHAT_METRICS_TOKEN=token)
    allowed = "16 or more letters, digits and signs, without spaces"
    assert str(refusal.value) == f"CARECHAT_METRICS_TOKEN: must be {allowed}"


def test_what_each_variable_may_be_is_told() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


@pytest.mark.parametrize("empty", ["", " "])
def test_an_empty_variable_is_an_unset_one_and_takes_back_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, empty: str
) -> None:
    monkeypatch.delenv("CARECHAT_DATA_DIR")
    unset = settings.load()
    (tmp_path / ".env").write_text("CARECHAT_CLINIC_NAME=Elsewhere\nPORT=\n")
    monkeypatch.setitem(Settings.model_config, "env_file", tmp_path / ".env")
    assert settings.load().clinic_name == "Elsewhere"
    assert load(monkeypatch, **dict.fromkeys(NAMES, empty)) == unset


@pytest.mark.parametrize("secret", ["", "too short", "x" * 31])
def test_a_deployment_needs_a_long_secret_which_is_not_shown(
    monkeypatch: pytest.MonkeyPatch, secret: str
) -> None:
    was = "" if secret else " is not set"
    with pytest.raises(BadSettingError) as refusal:
        load(monkeypatch, MONGODB_URI="mongodb://db.test", CARECHAT_JWT_SECRET=secret)
    line = str(refusal.value)
    assert line.startswith(f"CARECHAT_JWT_SECRET{was}: must be 32 bytes or more")
    assert not secret or secret not in line


def test_a_short_secret_is_told_nothing_of_a_deployment(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadSettingError) as refusal:
        load(monkeypatch, CARECHAT_JWT_SECRET="x" * 31)
    assert str(refusal.value) == "CARECHAT_JWT_SECRET: must be 32 bytes or more"


def test_a_cheap_hash_is_for_this_machine_only(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch, CARECHAT_BCRYPT_COST="4").bcrypt_cost == 4
    line = "CARECHAT_BCRYPT_COST is '4': must be 10 or more unless the public URL is a loopback"
    with pytest.raises(BadSettingError, match=line):
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
        ("HTTPS://chat.example.com:8443", "https://chat.example.com:8443", True),
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000", False),
        ("http://[0:0::1]:9000/", "http://[::1]:9000", False),
        # Browsers leave out the port that goes without saying.
        ("https://chat.example.com:443", "https://chat.example.com", True),
        ("http://chat.example.com:80/", "http://chat.example.com", False),
        ("http://chat.example.com:443", "http://chat.example.com:443", False),
        ("https://chat.example.com:", "https://chat.example.com", True),
    ],
)
def test_the_public_url_is_the_origin_that_browsers_tell(
    monkeypatch: pytest.MonkeyPatch, url: str, origin: str, https: bool
) -> None:
    loaded = load(monkeypatch, CARECHAT_PUBLIC_URL=url)
    assert (loaded.origin, loaded.https) == (origin, https)


@pytest.mark.parametrize(("port", "end"), [("8123", ":8123"), ("443", ":443"), ("80", "")])
def test_the_port_is_part_of_the_origin_unless_browsers_leave_it_out(
    monkeypatch: pytest.MonkeyPatch, port: str, end: str
) -> None:
    assert load(monkeypatch, PORT=port).origin == f"http://localhost{end}"


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


def test_several_workers_need_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadSettingError) as refusal:
        load(monkeypatch, CARECHAT_WORKERS="2")
    assert str(refusal.value) == (
        "CARECHAT_WORKERS is '2': must be 1 without REDIS_URL, "
        "through which several tell each other what happens"
    )
    assert load(monkeypatch, REDIS_URL="rediss://:secret@cache.test:6380/1").workers == 2


def test_a_bad_redis_url_is_told_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadSettingError) as refusal:
        load(monkeypatch, REDIS_URL="http://:topsecret@cache.test")
    assert str(refusal.value) == f"REDIS_URL: must be {settings.REDIS_URL_FORM}"


def test_what_is_shown_has_every_variable_and_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    uri = "mongodb://carechat:topsecret@db.test"
    monkeypatch.setenv("REDIS_URL", "redis://:topsecret@cache.test")
    shown = load(monkeypatch, MONGODB_URI=uri, CARECHAT_JWT_SECRET=SECRET).masked()
    assert shown["REDIS_URL"] == "********"
    assert set(NAMES) == set(shown)
    assert shown["MONGODB_URI"] == shown["CARECHAT_JWT_SECRET"] == "********"
    assert (shown["CARECHAT_PUBLIC_URL"], shown["CARECHAT_DEMO"]) == (
        "http://localhost:8000",
        "False",
    )


def test_what_serve_tells_its_workers_is_no_setting(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A line of it in `.env` would give the demo, and its public password, to any database."""
    (tmp_path / ".env").write_text("CARECHAT_EMBEDDED_URI=mongodb://db.test\n")
    monkeypatch.setitem(Settings.model_config, "env_file", tmp_path / ".env")
    assert "db.test" not in repr(load(monkeypatch))


def test_settings_are_never_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = load(monkeypatch)
    with pytest.raises(ValueError, match="frozen"):
        loaded.port = 9000  # pyright: ignore[reportAttributeAccessIssue]
