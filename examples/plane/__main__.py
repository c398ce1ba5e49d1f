"""`python -m examples.plane` runs the plane until it is interrupted.

The environment variable PLANE_TOKEN has the token of a service account, MAINSHEET_URL the address of the API.
"""

import argparse
import asyncio
import logging
import os
import sys
from contextlib import suppress
from random import random, uniform

import aiohttp

from examples.plane.client import URL, Client, Refused
from examples.plane.scheduler import Scheduler
from examples.plane.worker import Claim, RunFailed, Worker

FAILING = 0.05  # the share of runs
SECONDS = (2, 20)


async def pretend(_claim: Claim) -> None:
    """Sleep for as long as a short run takes. Some runs fail."""
    await asyncio.sleep(uniform(*SECONDS))  # noqa: S311 no secret
    if random() < FAILING:  # noqa: S311 no secret
        raise RunFailed("The pretended work failed.")


async def work(url: str, token: str) -> None:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(30)) as http, asyncio.TaskGroup() as tasks:
        ask = Client(http, url, token)
        tasks.create_task(Scheduler(ask).work())
        tasks.create_task(Worker(ask, pretend).work())


def first_of(error: BaseException) -> BaseException:
    """Return the first error of a group: the worker's task groups are nested."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m examples.plane", description=__doc__)
    parser.add_argument("--url", default=URL, help="the address of the API")
    given = parser.parse_args()
    if not (token := os.environ.get("PLANE_TOKEN")):
        parser.error("Set PLANE_TOKEN to the token of a service account. See examples/plane/README.md.")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    try:
        with suppress(KeyboardInterrupt):
            asyncio.run(work(given.url, token))
    except* Refused as refused:
        sys.exit(f"The server refused an operation: {first_of(refused)}")


if __name__ == "__main__":
    main()
