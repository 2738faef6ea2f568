"""The operator's command line: `python -m carechat --help` lists what it can do."""

import csv
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from carechat import bootstrap, demo, serving, settings
from carechat.domain import errors
from carechat.domain.users import clean_role
from carechat.services import roster, users
from carechat.settings import BadSettingError
from carechat.storage.mongod import EmbeddedError

_COLUMNS = ("email", "name", "role", "doctor_emails", "password")
_REST = "more"

app = typer.Typer(
    help="CareChat: chat between a clinic's doctors and their patients. Settings are environment "
    "variables, or lines of the file .env beside the project.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
)
accounts = typer.Typer(help="Add, list, close and open accounts.", rich_markup_mode=None)
app.add_typer(accounts, name="users")

Email = Annotated[str, typer.Argument(metavar="EMAIL", help="The account's address.")]
Doctor = Annotated[str, typer.Argument(metavar="DOCTOR", help="The doctor's address.")]
Patient = Annotated[str, typer.Argument(metavar="PATIENT", help="The patient's address.")]


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the arguments say and return the exit code; one line on stderr tells what failed."""
    try:
        return app(arguments, prog_name="python -m carechat", standalone_mode=False) or 0
    except typer.Abort:
        return _failed("Stopped.")
    except typer.TyperException as error:
        return _failed(f"{error.format_message()} Try --help.", error.exit_code)
    except roster.BadRosterError as error:
        for problem in error.problems:
            _failed(f"Line {problem.line}: {problem.detail}")
        return _failed(error.detail)
    except errors.UnavailableError as error:
        return _failed(f"{error.detail} ({type(error.__cause__ or error).__name__})")
    except (errors.CareChatError, BadSettingError, EmbeddedError, OSError) as error:
        return _failed(str(error))


@app.command()
def serve() -> None:
    """Run CareChat until Ctrl-C.

    Unless MONGODB_URI names one, it starts a MongoDB of its own in CARECHAT_DATA_DIR.
    """
    config = settings.load()
    bootstrap.check(config)
    raise typer.Exit(serving.serve(config, demo.greeting() if config.with_demo else ""))


@app.command()
def config() -> None:
    """Print the effective settings, secrets masked.

    Each line is NAME=value; docs/operations.md tells what they mean.
    """
    for name, value in settings.load().masked().items():
        typer.echo(f"{name}={value}")


@app.command()
def assign(doctor: Doctor, patient: Patient) -> None:
    """Let a doctor and a patient write to each other."""
    bootstrap.operate(settings.load(), lambda backend: users.assign(backend, doctor, patient))
    typer.echo("They can write to each other now.")


@app.command()
def unassign(doctor: Doctor, patient: Patient) -> None:
    """Stop the two from writing; both can still read what was written."""
    bootstrap.operate(settings.load(), lambda backend: users.unassign(backend, doctor, patient))
    typer.echo("They can read what they wrote, and write no more.")


@accounts.command("add")
def add_one(
    email: Annotated[str, typer.Option(metavar="EMAIL", help="The address to sign in with.")],
    name: Annotated[str, typer.Option(metavar="NAME", help="The name that others see.")],
    role: Annotated[str, typer.Option(metavar="ROLE", help="One of doctor, patient, admin.")],
    doctor: Annotated[
        list[str] | None, typer.Option(metavar="EMAIL", help="A patient's doctor; may be repeated.")
    ] = None,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from the first input line.")
    ] = False,
) -> None:
    """Add an account.

    The password is asked for twice; it is never an argument.
    """
    config, kind = settings.load(), clean_role(role)
    password = _first_line() if password_stdin else _asked()
    user = bootstrap.operate(
        config, lambda backend: users.add(backend, email, name, kind, password, doctor or ())
    )
    typer.echo(f"Added {user.email}.")


@accounts.command("import")
def add_many(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="In UTF-8.", exists=True, dir_okay=False)
    ],
) -> None:
    """Add the accounts of a CSV file.

    If any row is bad, each bad one is told and nothing is stored. The first line names the columns:
    email, name, role, doctor_emails, password. Several doctors of a patient are separated by ";";
    they may be in the same file.
    """
    config, rows = settings.load(), _rows(file)
    added = bootstrap.operate(config, lambda backend: roster.add(backend, rows))
    typer.echo("Added 1 account." if len(added) == 1 else f"Added {len(added)} accounts.")


@accounts.command("list")
def list_all() -> None:
    """Print every account, one a line.

    Each line has the address, the role, active or disabled, and the name.
    """
    found = bootstrap.operate(settings.load(), users.all_users)
    width = max((len(user.email) for user in found), default=0)
    for user in found:
        state = "disabled" if user.disabled else "active"
        typer.echo(f"{user.email:<{width}}  {user.role:<7}  {state:<8}  {user.name}")


@accounts.command()
def disable(email: Email) -> None:
    """Close an account.

    Its sessions end within a second, and its conversations can only be read.
    """
    bootstrap.operate(settings.load(), lambda backend: users.disable(backend, email))
    typer.echo("Disabled.")


@accounts.command()
def enable(email: Email) -> None:
    """Open a closed account again."""
    bootstrap.operate(settings.load(), lambda backend: users.enable(backend, email))
    typer.echo("Enabled.")


@accounts.command()
def reset(email: Email) -> None:
    """Print a link to choose a new password.

    It works once, within 24 hours; earlier ones stop working. Hand it to that person only.
    """
    link = bootstrap.operate(settings.load(), lambda backend: users.reset(backend, email))
    typer.echo(link.url)


def _failed(line: str, code: int = 1) -> int:
    typer.echo(" ".join(line.split()), err=True)
    return code


def _asked() -> str:
    if not sys.stdin.isatty():
        raise errors.InvalidError("Nobody can be asked for a password here: use --password-stdin.")
    return typer.prompt("Password", hide_input=True, confirmation_prompt="Once more", err=True)


def _first_line() -> str:
    try:
        return sys.stdin.buffer.readline().decode().rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise errors.InvalidError("The password is not UTF-8.") from error


def _rows(file: Path) -> list[roster.Row]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            reader = csv.DictReader(text, restkey=_REST, restval="")
            _check_columns(reader.fieldnames or ())
            return [_row(reader.line_num, fields) for fields in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise errors.InvalidError(f"{file} is not a CSV file in UTF-8: {error}") from error


def _check_columns(names: Sequence[str]) -> None:
    lacking = [column for column in _COLUMNS if column not in names]
    if lacking:
        raise errors.InvalidError(f"The first line lacks the columns {', '.join(lacking)}.")


def _row(line: int, fields: dict[str, Any]) -> roster.Row:
    if _REST in fields:
        raise errors.InvalidError(f"Line {line} has more fields than there are columns.")
    return roster.Row(line, **{column: fields[column] for column in _COLUMNS})


if __name__ == "__main__":
    sys.exit(main())
