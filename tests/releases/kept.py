"""Databases of released versions: `releases/<version>/` has one for SQLite and one for PostgreSQL, with demo data.

They are what people have, not what we would write today: SQLite's file as it is, PostgreSQL's by pg_dump. Since 0.2.0,
`migrations.sha256` has the checksums of the migrations, as `sha256sum` writes them: a released one never changes.
"""

import gzip
import re
import shutil
import sqlite3
import subprocess
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from mainsheet.demo import seed_demo
from mainsheet.models.database import Database
from mainsheet.models.migrate import upgrade
from mainsheet.models.revisions import migrations
from testbed.databases import postgres_database
from testbed.postgres import program
from tests.releases.used import use

ROOT = Path(__file__).parents[2]
RELEASES, SCHEMA = ROOT / "releases", ROOT / "schema/schema.graphql"
CHECKSUMS = "migrations.sha256"
FILES = {"sqlite": "sqlite.db.gz", "postgresql": "postgresql.sql.gz"}
DUMP = ("--no-owner", "--no-privileges", "--restrict-key=mainsheet")  # otherwise pg_dump chooses a new one each time


def versions() -> list[str]:
    """Return the releases that have stored databases."""
    return sorted(each.name for each in RELEASES.iterdir() if all((each / file).exists() for file in FILES.values()))


def obstacles(version: str, changelog: str) -> list[str]:
    """Return the reasons why this version can't be released: a stored one never changes."""
    found = []
    if (RELEASES / version).exists():
        found.append(f"{version} was released before. Set the next version in pyproject.toml.")
    if not re.search(rf"^## \[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d$", changelog, re.MULTILINE):
        found.append(f"CHANGELOG.md has no heading `## [{version}] - YYYY-MM-DD`.")
    return found


async def filled(url: str) -> None:
    """Create the tables and the demo data of this version."""
    database = Database.open(url)
    try:
        await upgrade(database)
        await seed_demo(database)
        await use(database)
    finally:
        await database.close()


async def store(version: str, wheel: Path, server: str, releases: Path = RELEASES) -> None:
    """Make a release's folder, all of it or none: `make release` can be run again after a failure."""
    with TemporaryDirectory(dir=releases, prefix=".") as scratch:
        folder = Path(scratch) / version
        folder.mkdir()
        shutil.copy(wheel, folder)
        await keep(folder, Path(scratch), server)
        folder.rename(releases / version)


async def keep(folder: Path, scratch: Path, server: str) -> None:
    """Write new databases with the demo, the schema and checksums of migrations to a folder of a release."""
    file = scratch / "release.sqlite3"
    await filled(f"sqlite:///{file}")
    _write(folder, "sqlite", _whole(file))
    async with postgres_database(server) as url:
        await filled(url)
        _write(folder, "postgresql", _dump(url))
    shutil.copy(SCHEMA, folder)
    (folder / CHECKSUMS).write_text("".join(f"{digest}  {name}\n" for name, digest in _checksums().items()), "utf-8")


def _checksums() -> dict[str, str]:
    """Return the checksums of all migrations by the names of their files."""
    files = [Path(each.path) for each in migrations().values()]
    return {each.name: sha256(each.read_bytes()).hexdigest() for each in files}


def changed_migrations(folder: Path) -> list[str]:
    """Return the migrations of a release that differ from what was released, or are missing."""
    released = [line.split(maxsplit=1) for line in (folder / CHECKSUMS).read_text("utf-8").splitlines()]
    now = _checksums()
    return [name for digest, name in released if now.get(name) != digest]


def _whole(file: Path) -> bytes:
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA journal_mode = DELETE")  # so that the file contains everything
    connection.execute("VACUUM")
    connection.close()
    return file.read_bytes()


def _dump(url: str) -> bytes:
    return subprocess.run([program("pg_dump"), *DUMP, url], check=True, stdout=subprocess.PIPE).stdout


def _write(folder: Path, kind: str, content: bytes) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILES[kind]).write_bytes(gzip.compress(content, mtime=0))


def restore_sqlite(version: str, file: Path, releases: Path = RELEASES) -> str:
    """Write the database to a new file and return its URL."""
    file.write_bytes(_kept(releases / version, "sqlite"))
    return f"sqlite:///{file}"


def restore_postgresql(version: str, url: str, releases: Path = RELEASES) -> None:
    """Fill an empty database."""
    command: list[str | Path] = [
        program("psql"),
        "--quiet",
        "--no-psqlrc",
        "--set=ON_ERROR_STOP=1",
        "--output=/dev/null",
        url,
    ]
    subprocess.run(command, input=_kept(releases / version, "postgresql"), check=True)


def _kept(folder: Path, kind: str) -> bytes:
    return gzip.decompress((folder / FILES[kind]).read_bytes())
