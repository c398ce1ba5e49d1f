"""`python -m tests.chaos.run_worker URL NOTES LEASE_SECONDS` claims and executes runs, as a process that can be killed.

The workers of all processes write to one pipe, NOTES, when an execution starts, is done, and stops.
"""

import asyncio
import os
import sys
import time
from asyncio.subprocess import DEVNULL
from random import randrange

import aiohttp

from examples.plane.client import Client
from examples.plane.worker import Claim, Worker

TOKEN_VARIABLE = "PLANE_TOKEN"
LONGEST = 1_000_000  # numbers to count


async def count() -> None:
    """Run a short program, and end it if this is cancelled."""
    program = await asyncio.create_subprocess_exec("seq", str(randrange(LONGEST)), stdout=DEVNULL)
    try:
        await program.wait()
    finally:
        if program.returncode is None:
            program.kill()
            await program.wait()


async def work(url: str, notes: int, lease_seconds: int) -> None:
    def note(what: str, claim: Claim) -> None:
        os.write(notes, f"{os.getpid()} {time.monotonic()} {what} {claim['run']['id']} {claim['attempt']}\n".encode())

    async def execute(claim: Claim) -> None:
        note("start", claim)
        try:
            await count()
            note("done", claim)
        finally:
            note("stop", claim)

    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(30)) as http:
        ask = Client(http, url, os.environ[TOKEN_VARIABLE])
        await Worker(ask, execute, size=10, lease_seconds=lease_seconds, poll_seconds=0.1).work()


if __name__ == "__main__":
    asyncio.run(work(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
