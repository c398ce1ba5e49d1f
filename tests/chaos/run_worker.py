"""`python -m tests.chaos.run_worker URL LOG LEASE_SECONDS` claims and executes runs, as a process that can be killed.

The workers of all processes append to one log when an execution starts, is done, and stops.
"""

import asyncio
import os
import sys
import time
from pathlib import Path
from random import uniform

import aiohttp

from examples.plane.client import Client
from examples.plane.worker import Claim, Worker

TOKEN_VARIABLE = "PLANE_TOKEN"
LONGEST_SECONDS = 0.1


async def work(url: str, log: Path, lease_seconds: int) -> None:
    file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def note(what: str, claim: Claim) -> None:
        os.write(file, f"{os.getpid()} {time.monotonic()} {what} {claim['run']['id']} {claim['attempt']}\n".encode())

    async def execute(claim: Claim) -> None:
        note("start", claim)
        try:
            await asyncio.sleep(uniform(0, LONGEST_SECONDS))
            note("done", claim)
        finally:
            note("stop", claim)

    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(30)) as http:
        ask = Client(http, url, os.environ[TOKEN_VARIABLE])
        await Worker(ask, execute, size=10, lease_seconds=lease_seconds, poll_seconds=0.1).work()


if __name__ == "__main__":
    asyncio.run(work(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])))
