"""`make release`: store databases of this version in `releases/<version>/`, for the tests of later versions."""

import asyncio
import tempfile
from importlib.metadata import version
from pathlib import Path

from testbed.databases import postgres_database
from testbed.postgres import postgres
from tests.releases.kept import filled, keep_postgresql, keep_sqlite


async def keep(number: str, folder: Path, server: str) -> None:
    file = folder / "release.sqlite3"
    await filled(f"sqlite:///{file}")
    keep_sqlite(file, number)
    async with postgres_database(server) as url:
        await filled(url)
        keep_postgresql(url, number)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch, postgres() as running:
        asyncio.run(keep(version("mainsheet"), Path(scratch), running))
