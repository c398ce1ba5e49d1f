"""Python packages that only one test needs, locked and installed into a virtual environment of their own."""

import asyncio
import fcntl
import os
import shutil
import sys
from pathlib import Path

INSTALLED = Path(__file__).parents[1] / ".venv/tools"
PIP = ("bin/pip", "--quiet", "--disable-pip-version-check", "install", "--no-compile", "--require-hashes")


async def installed(here: Path) -> Path:
    """Return the folder of programs for `requirements.lock` in `here`, installed once for each content of it."""
    return await asyncio.to_thread(_installed, here)


def _installed(here: Path) -> Path:
    folder, lock = INSTALLED / here.name, here / "requirements.lock"
    folder.mkdir(parents=True, exist_ok=True)
    done = folder / "installed.lock"
    with (folder / "installing").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # tests run in several processes
        if not done.exists() or done.read_bytes() != lock.read_bytes():
            done.unlink(missing_ok=True)
            asyncio.run(run(sys.executable, "-m", "venv", "--clear", folder / "venv", cwd=here))
            asyncio.run(run(folder / "venv" / PIP[0], *PIP[1:], "--requirement", lock, cwd=here))
            shutil.copy(lock, done)
    return folder / "venv/bin"


async def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    """Run a program to its good end, and return what it prints."""
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=cwd,
        env=os.environ | environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    return output.decode()
