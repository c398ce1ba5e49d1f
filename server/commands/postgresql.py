"""Backups of PostgreSQL, by the programs that come with it."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import click

from mainsheet.models.database_url import DatabaseUrl
from mainsheet.models.sqlite_copy import put
from mainsheet.server.observe.redaction import without_secrets

COPY = "COPY "
# The server's driver ignores these, so that the programs could connect to another database.
NOT_OF_THE_SERVER = {"PGHOSTADDR", "PGSERVICE"}


def dump(url: DatabaseUrl, file: Path) -> None:
    """Write a dump in the custom format, which `restore` takes. The file gets its name when it is complete."""
    descriptor, name = tempfile.mkstemp(prefix=f".{file.name}-", dir=file.parent)
    os.close(descriptor)
    try:
        _run("pg_dump", ["--format=custom", f"--file={name}"], url)
        put(Path(name), file)
    finally:
        Path(name).unlink(missing_ok=True)


def revision(file: Path) -> str:
    """Return the revision of the database that the dump was made of."""
    lines = _run("pg_restore", ["--data-only", "--table=alembic_version", "--file=-", _archive(file)]).splitlines()
    found = [after for line, after in pairwise(lines) if line.startswith(COPY)]
    if not found:
        raise click.ClickException(f"{file} isn't a backup of a database of Mainsheet")
    return found[0]


def restore(url: DatabaseUrl, file: Path) -> None:
    """Write a dump's content into an empty database: all of it, or nothing."""
    options = ["--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges"]
    _run("pg_restore", [*options, _archive(file)], url)


def _archive(file: Path) -> str:
    return str(file.absolute())  # a relative name that begins with - would be an option


def _run(program: str, arguments: Sequence[str], url: DatabaseUrl | None = None) -> str:
    """Run a program of PostgreSQL and return its output. The password isn't among its arguments, which all can read."""
    if url:
        _refuse_passphrase(url, program)
        arguments = [*arguments, "--no-password", f"--dbname={url.without_password}"]
    command = shutil.which(program)
    if command is None:
        raise click.ClickException(f"There is no {program}: install the client programs of PostgreSQL")
    environment = {name: value for name, value in os.environ.items() if name not in NOT_OF_THE_SERVER}
    secrets = {"PGPASSWORD": url.password} if url and url.password else {}
    result = subprocess.run(  # noqa: S603  # no shell, and the program is PostgreSQL's
        [command, *arguments], env=environment | secrets, capture_output=True, text=True, check=False
    )
    if result.returncode:
        said = "; ".join(line.strip() for line in result.stderr.splitlines() if line.strip())
        raise click.ClickException(without_secrets(said or f"{program} failed with exit code {result.returncode}"))
    return result.stdout


def _refuse_passphrase(url: DatabaseUrl, program: str) -> None:
    """Unlike the password, libpq takes it from the arguments and service files only."""
    if url.has_passphrase:
        raise click.ClickException(
            f"The database URL has an sslpassword, which all users could read in the arguments of {program}:"
            " use a key without a passphrase"
        )
