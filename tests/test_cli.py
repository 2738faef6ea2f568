"""The operator's commands: what each does and prints, and how it says that it could not."""

import contextlib
import io
import os
import pty
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from carechat import __main__ as command_line
from carechat import bootstrap
from carechat import settings as all_settings
from carechat.domain import errors
from carechat.services import accounts, invitations
from carechat.services.context import Backend
from carechat.settings import Settings
from carechat.storage import embedded, mongod
from tests.conftest import Records

PROJECT = Path(__file__).parent.parent
PASSWORD = "plum tart at noon"
COMMANDS = [
    "",
    "serve",
    "config",
    "assign",
    "unassign",
    "users",
    "users add",
    "users import",
    "users list",
    "users disable",
    "users enable",
    "users reset",
]
HEADER = "email,name,role,doctor_emails,password\n"
DOCTOR = "dora@clinic.test"
PATIENT = "paul@clinic.test"


@dataclass(frozen=True)
class Done:
    """What came of a command."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class CommandLine:
    """The command line, as an operator uses it on the database of the test."""

    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]

    def __call__(self, words: str, *more: str, stdin: bytes = b"") -> Done:
        """Do what the words say; `more` may contain spaces."""
        self.monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        code = command_line.main([*words.split(), *more])
        shown = self.capsys.readouterr()
        return Done(code, shown.out, shown.err)

    def add(self, email: str, role: str, *more: str) -> None:
        """Add an account with the usual password."""
        words = f"users add --email {email} --role {role} --password-stdin --name"
        done = self(words, "Sam Example", *more, stdin=PASSWORD.encode())
        assert done == Done(0, f"Added {email}.\n", "")

    def people(self) -> list[str]:
        """Return the addresses of all accounts."""
        return [line.split()[0] for line in self("users list").out.splitlines()]


@pytest.fixture
def cli(
    settings: Settings,
    mongodb_uri: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> CommandLine:
    """Return the command line, with the settings of the test in the environment."""
    for name, value in {
        "MONGODB_URI": mongodb_uri,
        "MONGODB_DATABASE": settings.mongodb_database,
        "CARECHAT_DATA_DIR": str(settings.data_dir),
        "CARECHAT_JWT_SECRET": settings.jwt_secret,
        "CARECHAT_BCRYPT_COST": str(settings.bcrypt_cost),
    }.items():
        monkeypatch.setenv(name, value)
    return CommandLine(monkeypatch, capsys)


@pytest.fixture
def pair(cli: CommandLine) -> CommandLine:
    """Return a command line in whose database a doctor and a patient belong together."""
    cli.add(DOCTOR, "doctor")
    cli.add(PATIENT, "patient", "--doctor", DOCTOR)
    return cli


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return where an import is read from."""
    return tmp_path / "people.csv"


def outside(data_dir: Path, *words: str, stdin: str = "", **variables: str) -> Done:
    """Run a command in a process of its own, on the embedded MongoDB of that directory."""
    done = subprocess.run(
        [sys.executable, "-m", "carechat", *words],
        cwd=PROJECT,
        env={**own_environment(data_dir), **variables},
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def own_environment(data_dir: Path) -> dict[str, str]:
    """The variables for a process that knows nothing of the tests' MongoDB."""
    return {**os.environ, "CARECHAT_DATA_DIR": str(data_dir), "CARECHAT_BCRYPT_COST": "4"}


@pytest.mark.parametrize("words", COMMANDS)
def test_every_command_has_help(cli: CommandLine, words: str) -> None:
    done = cli(f"{words} --help")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"Usage: python -m carechat {words}".strip())
    assert not any(line.endswith("...") for line in done.out.splitlines() if "Usage" not in line)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("", "Missing command. Try --help.\n"),
        ("users xyz", "No such command 'xyz'. Try --help.\n"),
        ("users disable", "Missing argument 'EMAIL'. Try --help.\n"),
        (
            "users add --password hush",
            "No such option: --password (Possible options: --password-stdin) Try --help.\n",
        ),
        (
            "users import nowhere.csv",
            "Invalid value for 'FILE': file 'nowhere.csv' does not exist. Try --help.\n",
        ),
    ],
)
def test_a_wrong_use_is_told_in_one_line(cli: CommandLine, words: str, line: str) -> None:
    assert cli(words) == Done(2, "", line)


def test_an_account_is_added(pair: CommandLine, records: Records) -> None:
    assert pair("users list") == Done(
        0,
        f"{DOCTOR}  doctor   active    Sam Example\n{PATIENT}  patient  active    Sam Example\n",
        "",
    )
    conversation = records["conversations"].find_one({"members.email": PATIENT})
    assert conversation
    assert conversation["assigned"]
    signed_in = bootstrap.operate(
        all_settings.load(),
        lambda backend: accounts.sign_in(backend, PATIENT, PASSWORD, "here"),
    )
    assert signed_in.user.email == PATIENT


@pytest.mark.parametrize(
    ("words", "stdin", "line"),
    [
        ("--email nowhere --role doctor", PASSWORD.encode(), "That is not an e-mail address."),
        ("--email a@b.test --role king", PASSWORD.encode(), "A role is doctor, patient or admin."),
        ("--email a@b.test --role doctor", b"short\n", "A password has 8 to 72 bytes."),
        ("--email a@b.test --role doctor", b"\xff\xfe long enough", "The password is not UTF-8."),
        (
            f"--email {DOCTOR} --role doctor",
            PASSWORD.encode(),
            "There is an account with that address already.",
        ),
        (
            "--email a@b.test --role admin --doctor " + DOCTOR,
            PASSWORD.encode(),
            "Only a patient has doctors.",
        ),
        (
            "--email a@b.test --role patient --doctor " + PATIENT,
            PASSWORD.encode(),
            f"There is no doctor with the address {PATIENT}.",
        ),
    ],
)
def test_an_account_that_cannot_be_is_refused(
    pair: CommandLine, words: str, stdin: bytes, line: str
) -> None:
    done = pair(f"users add {words} --password-stdin --name", "Sam Example", stdin=stdin)
    assert done == Done(1, "", f"{line}\n")
    assert pair.people() == [DOCTOR, PATIENT]


def test_without_a_terminal_nobody_is_asked(cli: CommandLine) -> None:
    done = cli(f"users add --email {DOCTOR} --role doctor --name Dora", stdin=b"from a pipe\n" * 2)
    assert done == Done(1, "", "Nobody can be asked for a password here: use --password-stdin.\n")


def test_the_password_is_asked_for_twice_and_not_shown(cli: CommandLine) -> None:
    ours, theirs = pty.openpty()
    words = f"users add --email {DOCTOR} --role doctor --name Dora"
    with subprocess.Popen(
        [sys.executable, "-m", "carechat", *words.split()],
        cwd=PROJECT,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    ) as process:
        os.close(theirs)
        shown = answered(ours, "Password: ") + answered(ours, "Once more: ") + rest(ours)
    assert process.returncode == 0
    assert f"Added {DOCTOR}." in shown
    assert PASSWORD not in shown
    assert cli.people() == [DOCTOR]


def answered(terminal: int, question: str) -> str:
    """Type the password as soon as the question stands there; returns what stood there."""
    shown = b""
    while not shown.endswith(question.encode()):
        shown += os.read(terminal, 1)
    os.write(terminal, f"{PASSWORD}\n".encode())
    return shown.decode()


def rest(terminal: int) -> str:
    """Return what is shown until the program ends."""
    shown = b""
    # Linux tells the end of a terminal by an error.
    with contextlib.suppress(OSError):
        while chunk := os.read(terminal, 1024):
            shown += chunk
    os.close(terminal)
    return shown.decode()


def test_a_file_is_imported_with_doctors_of_its_own(
    pair: CommandLine, file: Path, records: Records
) -> None:
    file.write_text(
        f"\ufeff{HEADER}"
        f'nora@clinic.test,"Núñez, Nora",patient,{DOCTOR}; dirk@clinic.test,{PASSWORD}\n'
        f"dirk@clinic.test,Dirk,Doctor,,{PASSWORD}\n\n"
        f"anna@clinic.test,Anna,admin,,{PASSWORD}\n"
    )
    assert pair("users import", str(file)) == Done(0, "Added 3 accounts.\n", "")
    assert "nora@clinic.test  patient  active    Núñez, Nora\n" in pair("users list").out
    theirs = records["conversations"].find({"members.email": "nora@clinic.test"})
    assert sorted(one["members"][0]["email"] for one in theirs) == ["dirk@clinic.test", DOCTOR]


def test_one_account_is_no_accounts(cli: CommandLine, file: Path) -> None:
    file.write_text(f"{HEADER}{DOCTOR},Dora,doctor,,{PASSWORD}\n")
    assert cli("users import", str(file)) == Done(0, "Added 1 account.\n", "")


def test_of_a_file_with_bad_rows_nothing_is_stored(pair: CommandLine, file: Path) -> None:
    rows = [
        f"good@clinic.test,Good,patient,{DOCTOR},{PASSWORD}",
        f"nowhere,Bad,patient,,{PASSWORD}",
        f"a@clinic.test,,patient,,{PASSWORD}",
        f"b@clinic.test,Bad,nurse,,{PASSWORD}",
        "c@clinic.test,Bad,patient,,12345678",
        "d@clinic.test,Bad,patient",
        f"e@clinic.test,Bad,doctor,{DOCTOR},{PASSWORD}",
        f"f@clinic.test,Bad,patient,nobody@clinic.test,{PASSWORD}",
        f"{PATIENT.upper()},Bad,patient,,{PASSWORD}",
        f"Good@clinic.test,Bad,patient,,{PASSWORD}",
        f"g@clinic.test,Bad,patient,good@clinic.test,{PASSWORD}",
    ]
    file.write_text(HEADER + "\n".join(rows))
    done = pair("users import", str(file))
    assert (done.code, done.out) == (1, "")
    assert done.err.splitlines() == [
        "Line 3: That is not an e-mail address.",
        "Line 4: A name has 1 to 100 characters.",
        "Line 5: A role is doctor, patient or admin.",
        "Line 6: That password is too common. Please choose another.",
        "Line 7: A password has 8 to 72 bytes.",
        "Line 8: Only a patient has doctors.",
        "Line 9: There is no doctor with the address nobody@clinic.test.",
        "Line 10: There is an account with that address already.",
        "Line 11: Line 2 has that address already.",
        "Line 12: There is no doctor with the address good@clinic.test.",
        "Nothing was stored.",
    ]
    assert pair.people() == [DOCTOR, PATIENT]


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"", "The first line lacks the columns email, name, role, doctor_emails, password."),
        (b"email,name,role,password\n", "The first line lacks the columns doctor_emails."),
        (
            HEADER.encode() + b"a@b.test,Lee, Ann,patient,,x\n",
            "Line 2 has more fields than there are columns.",
        ),
        (HEADER.encode() + b"a@b.test,Andr\xe9,patient,,x\n", "is not a CSV file in UTF-8"),
        (
            HEADER.encode() + b"x" * 200_000,
            "is not a CSV file in UTF-8: field larger than field limit",
        ),
    ],
)
def test_a_file_that_is_no_such_table_is_refused(
    cli: CommandLine, file: Path, content: bytes, line: str
) -> None:
    file.write_bytes(content)
    done = cli("users import", str(file))
    assert (done.code, done.out, done.err.count("\n")) == (1, "", 1)
    assert line in done.err
    assert not cli.people()


def test_a_closed_account_is_signed_out_and_can_be_opened_again(
    pair: CommandLine, records: Records
) -> None:
    bootstrap.operate(
        all_settings.load(),
        lambda backend: accounts.sign_in(backend, PATIENT, PASSWORD, "here"),
    )
    assert pair(f"users disable {PATIENT}") == Done(0, "Disabled.\n", "")
    assert f"{PATIENT}  patient  disabled  Sam Example\n" in pair("users list").out
    assert not records["sessions"].count_documents({})
    assert pair(f"users enable {PATIENT}") == Done(0, "Enabled.\n", "")
    assert f"{PATIENT}  patient  active    Sam Example\n" in pair("users list").out


def test_a_reset_link_works_once(pair: CommandLine) -> None:
    done = pair(f"users reset {PATIENT}")
    assert (done.code, done.err, done.out.count("\n")) == (0, "", 1)
    assert done.out.startswith("http://localhost:8000/join?token=")
    token = done.out.strip().partition("token=")[2]

    async def choose(backend: Backend) -> accounts.SignedIn:
        return await invitations.accept(backend, token, "a fresh password", "")

    assert bootstrap.operate(all_settings.load(), choose).user.email == PATIENT
    with pytest.raises(errors.NotFoundError):
        bootstrap.operate(all_settings.load(), choose)


def test_a_closed_account_gets_no_reset_link(pair: CommandLine) -> None:
    pair(f"users disable {PATIENT}")
    done = pair(f"users reset {PATIENT}")
    assert done == Done(1, "", "That account is disabled: enable it first.\n")


def test_two_are_brought_together_and_parted(pair: CommandLine, records: Records) -> None:
    assert pair(f"unassign {DOCTOR} {PATIENT}").code == 0
    assert not records["conversations"].count_documents({"assigned": True})
    assert pair(f"assign {DOCTOR.upper()} {PATIENT}").code == 0
    assert records["conversations"].count_documents({"assigned": True}) == 1


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("users disable no@clinic.test", "There is no account with the address no@clinic.test."),
        ("users enable no@clinic.test", "There is no account with the address no@clinic.test."),
        ("users reset nobody", "That is not an e-mail address."),
        (f"assign {PATIENT} {DOCTOR}", f"There is no doctor with the address {PATIENT}."),
        (f"assign {DOCTOR} {DOCTOR}", f"There is no patient with the address {DOCTOR}."),
        (f"unassign {DOCTOR} no@clinic.test", f"no@clinic.test is not a patient of {DOCTOR}."),
    ],
)
def test_who_is_not_there_is_told(pair: CommandLine, words: str, line: str) -> None:
    assert pair(words) == Done(1, "", f"{line}\n")


def test_the_settings_are_shown_without_their_secrets(cli: CommandLine, settings: Settings) -> None:
    done = cli("config")
    shown = dict(line.split("=", 1) for line in done.out.splitlines())
    assert (done.code, done.err) == (0, "")
    assert shown["MONGODB_DATABASE"] == settings.mongodb_database
    assert shown["CARECHAT_PUBLIC_URL"] == "http://localhost:8000"
    assert {shown["MONGODB_URI"], shown["CARECHAT_JWT_SECRET"]} == {"********"}
    assert settings.jwt_secret not in done.out


@pytest.mark.parametrize("words", ["config", "users list", "serve"])
def test_a_bad_setting_stops_every_command(cli: CommandLine, words: str) -> None:
    cli.monkeypatch.setenv("PORT", "70000")
    done = cli(words)
    assert (done.code, done.out, done.err.count("\n")) == (1, "", 1)
    assert done.err.startswith("PORT is '70000'")


@pytest.mark.parametrize("address", ["http://db.test", "mongodb://me:hush/hush@db.test"])
def test_an_address_that_is_none_is_told_without_it(cli: CommandLine, address: str) -> None:
    cli.monkeypatch.setenv("MONGODB_URI", address)
    done = cli("users list")
    assert (done.code, done.out, done.err.count("\n")) == (1, "", 1)
    assert done.err.startswith("MONGODB_URI: must be like mongodb://")
    assert "hush" not in done.err


def test_a_database_that_does_not_answer_is_told(cli: CommandLine, tmp_path: Path) -> None:
    done = outside(tmp_path, "users", "list", MONGODB_URI="mongodb://127.0.0.1:1")
    assert (done.code, done.out) == (1, "")
    assert done.err == (
        "CareChat cannot reach its records right now. Please try again in a moment. "
        "(ServerSelectionTimeoutError)\n"
    )


@pytest.fixture
def single(tmp_path: Path) -> Iterator[str]:
    """Give the address of a MongoDB that is no replica set."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{probe.getsockname()[1]}"
    (tmp_path / "single").mkdir()
    files = ["--dbpath", str(tmp_path / "single"), "--logpath", str(tmp_path / "log")]
    where = ["--bind_ip", "127.0.0.1", "--port", place.rpartition(":")[2], "--nounixsocket"]
    command = [str(mongod.program()), *files, *where, "--wiredTigerCacheSizeGB", "0.25"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        while not mongod.listens(place):
            assert process.poll() is None
            time.sleep(0.05)
        yield f"mongodb://{place}"
        process.kill()


def test_serving_ends_at_once_with_a_mongodb_that_is_no_replica_set(
    tmp_path: Path, single: str
) -> None:
    secret = "for tests only, but long enough to be let in"
    done = outside(tmp_path, "serve", MONGODB_URI=single, CARECHAT_JWT_SECRET=secret)
    line = "MONGODB_URI must name a replica set or a sharded cluster.\n"
    assert done == Done(1, "", line)


def test_serving_that_fails_is_told_by_the_exit_code(tmp_path: Path) -> None:
    done = outside(tmp_path, "serve", CARECHAT_HOST="not an address")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("CARECHAT_HOST is 'not an address'")


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """Give a data directory with a short path, as the embedded MongoDB wants it."""
    with tempfile.TemporaryDirectory(prefix="cc-", ignore_cleanup_errors=True) as folder:
        yield Path(folder).resolve() / "data"


def test_the_commands_work_beside_a_running_server_and_without_one(data_dir: Path) -> None:
    words = f"users add --email {DOCTOR} --role doctor --name Dora --password-stdin"
    with embedded.start(data_dir) as server:
        pid = server.pid
        done = outside(data_dir, *words.split(), stdin=f"{PASSWORD}\n")
        assert done == Done(0, f"Added {DOCTOR}.\n", "")
        assert server.pid == pid
    done = outside(data_dir, "users", "list")
    assert done == Done(0, f"{DOCTOR}  doctor   active    Dora\n", "")
    assert not mongod.listens(mongod.address(mongod.Files(data_dir)))


def test_a_data_directory_that_cannot_be_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = outside(tmp_path / "file" / "data", "users", "list")
    assert (done.code, done.out, done.err.count("\n")) == (1, "", 1)
    assert str(tmp_path / "file") in done.err
