"""Databases of released versions: `releases/<version>/` has one for SQLite and one for PostgreSQL, with demo data.

They are what people have, not what we would write today: SQLite's file as it is, PostgreSQL's by pg_dump.
"""

import gzip
import sqlite3
import subprocess
from pathlib import Path

from mainsheet.demo import seed_demo
from mainsheet.models.database import Database
from mainsheet.models.migrate import upgrade
from testbed.postgres import program

RELEASES = Path(__file__).parents[2] / "releases"
FILES = {"sqlite": "sqlite.db.gz", "postgresql": "postgresql.sql.gz"}
DUMP = ("--no-owner", "--no-privileges", "--restrict-key=mainsheet")  # otherwise pg_dump chooses a new one each time


def versions() -> list[str]:
    """Return the releases that have stored databases."""
    return sorted(each.name for each in RELEASES.iterdir() if all((each / file).exists() for file in FILES.values()))


async def filled(url: str) -> None:
    """Create the tables and the demo data of this version."""
    database = Database.open(url)
    try:
        await upgrade(database)
        await seed_demo(database)
    finally:
        await database.close()


def keep_sqlite(file: Path, version: str) -> None:
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA journal_mode = DELETE")  # so that the file contains everything
    connection.execute("VACUUM")
    connection.close()
    _keep(file.read_bytes(), version, "sqlite")


def keep_postgresql(url: str, version: str) -> None:
    dumped = subprocess.run([program("pg_dump"), *DUMP, url], check=True, stdout=subprocess.PIPE)
    _keep(dumped.stdout, version, "postgresql")


def _keep(made: bytes, version: str, kind: str) -> None:
    folder = RELEASES / version
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILES[kind]).write_bytes(gzip.compress(made, mtime=0))


def restore_sqlite(version: str, file: Path) -> str:
    """Write the database to a new file and return its URL."""
    file.write_bytes(_kept(version, "sqlite"))
    return f"sqlite:///{file}"


def restore_postgresql(version: str, url: str) -> None:
    """Fill an empty database."""
    command: list[str | Path] = [
        program("psql"),
        "--quiet",
        "--no-psqlrc",
        "--set=ON_ERROR_STOP=1",
        "--output=/dev/null",
        url,
    ]
    subprocess.run(command, input=_kept(version, "postgresql"), check=True)


def _kept(version: str, kind: str) -> bytes:
    return gzip.decompress((RELEASES / version / FILES[kind]).read_bytes())
