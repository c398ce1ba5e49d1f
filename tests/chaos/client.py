"""A member that sends one request after the other and records each result, or that it is unknown."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Protocol

import aiohttp

from mainsheet.server.http.consistency import HEADER
from tests.chaos.answers import is_torn, result_of
from tests.chaos.ledger import Ledger, Result
from tests.chaos.steps import Step, Steps

PATIENCE_SECONDS = 20  # a longer wait counts as hanging
RETRY_SECONDS = 0.1  # between two attempts of a client
HURRY_SECONDS = 0.1  # clients that disconnect do so within this time
READS = 0.3  # for each change
JOB = "id revision draft { number } currentVersion { number }"
MORE = {
    "deleteJob": "deletedJobId",
    **dict.fromkeys(("publishDraft", "createVersion", "activateVersion"), f"version {{ number }} job {{ {JOB} }}"),
}
READ = f"""
query ($id: ID!) {{
  me {{ actor {{ id }} jobs(first: 5) {{ totalCount nodes {{ jobKey }} }} }}
  job(id: $id) {{ {JOB} events(first: 1) {{ nodes {{ action fromVersionNumber toVersionNumber }} }} }}
}}
"""
REFUSALS = {
    "JOB_NOT_FOUND",
    "DRAFT_NOT_FOUND",
    "DRAFT_EXISTS",
    "VERSION_NOT_FOUND",
    "VERSION_NOT_PUBLISHED",
    "STALE_REVISION",
}


async def wait_to_retry() -> None:
    """Wait between two attempts, as well-behaved clients do: nothing says when a server can be reached again."""
    await asyncio.sleep(RETRY_SECONDS)


class Endpoint(Protocol):
    """A server, or a proxy in front of servers."""

    url: str


@dataclass
class Client:
    name: str
    actor_id: str
    token: str
    http: aiohttp.ClientSession
    steps: Steps
    ledger: Ledger
    server: Endpoint | None = None
    answered: int = 0
    restlessness: float = 0  # the share of requests that it doesn't wait for
    consistency: str | None = None  # the last one that an answer had; only with replicas there is one
    revisions: dict[str, int] = field(default_factory=dict)  # of the jobs as this client changed them last
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    async def work(self, server: Endpoint, stopped: asyncio.Event) -> None:
        """Send changes and some reads until `stopped` is set. After a failure, wait until the service works."""
        self.server = server
        while not stopped.is_set():
            step = self.steps.choose(f"{self.name}-{next(self.numbers)}", self.actor_id)
            result, answer = await self.change(step)
            if result is Result.DONE:
                self.steps.learn(step, answer)
            if not result.is_answer:
                await self.read_again(stopped)
            elif step.job and self.steps.chance.random() < READS:
                await self.read(step.job.id)

    async def change(self, step: Step) -> tuple[Result, dict[str, Any]]:
        """Send a change. With an idempotency key, repeat it until its outcome is known."""
        is_keyed = "idempotencyKey" in step.input
        if is_keyed:
            self.ledger.keyed.add(step.effect)
        result, answer = await self.send(step)
        while is_keyed and not result.is_answer:
            await wait_to_retry()
            result, answer = await self.send(step)
        await self.ledger.settle(step.effect, result, answer)
        job = answer.get("job")
        if result is Result.DONE and job:
            self.revisions[job["id"]] = job["revision"]
        return result, answer

    async def send(self, step: Step) -> tuple[Result, dict[str, Any]]:
        name = step.mutation
        wanted = MORE.get(name, f"job {{ {JOB} }}")
        kind = f"{name[0].upper()}{name[1:]}Input"
        query = f"mutation ($input: {kind}!) {{ {name}(input: $input) {{ {wanted} userErrors {{ code }} }} }}"
        result, data = await self.ask(query, input=step.input)
        answer = data.get(name) or {}
        codes = {each["code"] for each in answer.get("userErrors", ())}
        if codes:
            result = Result.REFUSED if codes <= REFUSALS else Result.SURPRISED
        await self.ledger.count(result, f"{name} {step.input}: {codes or data}")
        return result, answer

    async def read(self, job_id: str) -> Result:
        result, data = await self.ask(READ, id=job_id)
        job = data["job"] if result is Result.DONE else None  # null if the client doesn't see it
        if job and (is_torn(job) or self._is_old(job)):
            result = Result.SURPRISED
        await self.ledger.count(result, f"read {job_id}: {data}")
        return result

    def _is_old(self, job: dict[str, Any]) -> bool:
        """Return whether the client's own last change of the job is missing."""
        return bool(job["revision"] < self.revisions.get(job["id"], 0))

    async def read_again(self, stopped: asyncio.Event) -> None:
        while not stopped.is_set():
            if await self.read("JB0") is Result.DONE:
                return
            await wait_to_retry()

    async def ask(self, query: str, **variables: Any) -> tuple[Result, dict[str, Any]]:
        """Send one request and return the result with its data, or with an unexpected response as `surprise`."""
        chance = self.steps.chance
        leaves = chance.random() < self.restlessness
        try:
            async with asyncio.timeout(chance.uniform(0, HURRY_SECONDS) if leaves else PATIENCE_SECONDS):
                result, data = await self._answer({"query": query, "variables": variables})
        except TimeoutError:
            result, data = Result.CUT if leaves else Result.SURPRISED, {"surprise": "no answer at all"}
        except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError):
            result, data = Result.CUT, {}
        except (aiohttp.ClientError, ValueError) as error:  # a page instead of JSON
            result, data = Result.SURPRISED, {"surprise": repr(error)}
        self.answered += result is Result.DONE
        return result, data

    async def _answer(self, body: dict[str, Any]) -> tuple[Result, dict[str, Any]]:
        headers = {"Authorization": f"Bearer {self.token}"}
        if self.consistency:
            headers[HEADER] = self.consistency
        assert self.server
        async with self.http.post(self.server.url, json=body, headers=headers) as response:
            self.consistency = response.headers.get(HEADER, self.consistency)
            return result_of(response.status, response.headers, await response.json())
