"""A simulated next version: a copy of this package with other models and with migrations of its own.

Its files are in this folder. `HEAD` in a migration stands for the newest revision of this version.
"""

import asyncio
import shutil
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from mainsheet.models.revisions import head
from tests.server.commands import PATIENCE, clean

HERE, ROOT = Path(__file__).parent, Path(__file__).parents[3]
PACKAGES = ("demo", "executor", "models", "resolvers", "schema", "server")
MIGRATIONS = sorted(path.stem for path in HERE.glob("next_*.py"))
REVISIONS = [name.split("_")[1] for name in MIGRATIONS]


@dataclass(frozen=True)
class Result:
    code: int | None
    stdout: str
    stderr: str


@dataclass(frozen=True)
class NextVersion:
    """The folder with its package. It runs in processes of its own."""

    folder: Path

    @property
    def command(self) -> tuple[str, ...]:
        return (sys.executable, "-P", "-m", "mainsheet.server.cli")

    @property
    def environment(self) -> dict[str, str]:
        return clean({"PYTHONPATH": str(self.folder)})

    @asynccontextmanager
    async def running(self, *arguments: str, url: str) -> AsyncIterator[Process]:
        """Run a command inside this context, and kill it at the end."""
        process = await asyncio.create_subprocess_exec(
            *(*self.command, *arguments, "--database-url", url),
            env=self.environment,
            cwd=self.folder,
            stdout=PIPE,
            stderr=PIPE,
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

    async def run(self, *arguments: str, url: str) -> Result:
        async with self.running(*arguments, url=url) as process, asyncio.timeout(PATIENCE):
            stdout, stderr = await process.communicate()
        return Result(process.returncode, stdout.decode(), stderr.decode())


def make_next_version(folder: Path) -> NextVersion:
    package = folder / "mainsheet"
    ignored = shutil.ignore_patterns("__pycache__", "page", "node_modules")
    for name in PACKAGES:
        shutil.copytree(ROOT / name, package / name, ignore=ignored)
    shutil.copy(ROOT / "src/mainsheet/__init__.py", package)
    for name in MIGRATIONS:
        text = (HERE / f"{name}.py").read_text("utf-8").replace('"HEAD"', f'"{head()}"')
        (package / "models/migrations/versions" / f"{name}.py").write_text(text, "utf-8")
    with (package / "models/tables.py").open("a", encoding="utf-8") as tables:
        tables.write((HERE / "models.py").read_text("utf-8"))
    return NextVersion(folder)
