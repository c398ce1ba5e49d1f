"""Replicas stop, lag and are cut off, and the primary dies: no server is restarted, and no client reads an old state.

Clients send the header of their last answer, and check that what they read has their own last change.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

import aiohttp

from testbed.databases import execute
from testbed.postgres import Postgres
from tests.chaos.conftest import Verdict, is_full
from tests.chaos.crowd import Crowd, Scale, crowd_at
from tests.chaos.ledger import Result
from tests.chaos.replicas.cluster import Cluster, cluster
from tests.chaos.server import Server, serving
from tests.observe.test_metrics import Scrape

SERVERS = 2
CLIENTS = 8
FEW = 4  # clients and changes of the short form
RECOVERY_SECONDS = 60  # until all servers read from replicas again, at most
MAY_FAIL = {Result.UNAVAILABLE, Result.UNSURE}
UNLIMITED = {"points_per_minute": 0, "database_seconds_per_minute": 0}


async def test_replicas_and_the_primary_fail(tmp_path: Path, scale: Scale, verdict: Verdict) -> None:
    scale = scale if is_full() else replace(scale, changes=FEW)
    async with AsyncExitStack() as stack:
        databases = await stack.enter_async_context(cluster())
        crowd = await stack.enter_async_context(crowd_at(databases.url, CLIENTS if is_full() else FEW))
        servers = [
            await stack.enter_async_context(
                serving(databases.url, tmp_path / f"log{number}", replica_urls=",".join(databases.urls), **UNLIMITED)
            )
            for number in range(SERVERS)
        ]
        async with crowd.at_work(*servers):
            await crowd.changes(FEW)
        await used(servers, crowd)
        for name, fault in FAULTS.items():
            async with crowd.at_work(*servers):
                async for _ in crowd.rounds(scale):
                    for replica in databases.standbys:
                        await fault(databases, replica, partial(crowd.changes, FEW))
            await used(servers, crowd)
            times = len(databases.standbys) * scale.times
            await verdict(name, databases.direct_url, crowd, times, MAY_FAIL)

        async with crowd.at_work(*servers):
            async for _ in crowd.rounds(scale):
                await databases.fail_over()
        await used(servers, crowd)
        await verdict("primary killed, a replica promoted", databases.direct_url, crowd, scale.times, MAY_FAIL)


async def stopped(_databases: Cluster, replica: Postgres, meanwhile: Callable[[], Awaitable[None]]) -> None:
    await asyncio.to_thread(replica.stop, "immediate")
    await meanwhile()
    await asyncio.to_thread(replica.restart, "fast")


async def paused(_databases: Cluster, replica: Postgres, meanwhile: Callable[[], Awaitable[None]]) -> None:
    await execute(replica.url, "SELECT pg_wal_replay_pause()")
    await meanwhile()
    await execute(replica.url, "SELECT pg_wal_replay_resume()")


async def cut_off(databases: Cluster, replica: Postgres, meanwhile: Callable[[], Awaitable[None]]) -> None:
    proxy = databases.proxies[replica]
    proxy.swallow()
    await meanwhile()
    proxy.let_through()


FAULTS = {"replica killed": stopped, "replica lagging": paused, "replica cut off": cut_off}


async def used(servers: list[Server], crowd: Crowd) -> None:
    """Let a client of each server read until it is answered by a replica, with all that this client changed.

    No client may be at work: a replica is known to have a change only when it is probed next.
    """
    async with aiohttp.ClientSession() as http, asyncio.timeout(RECOVERY_SECONDS):
        for client, server in zip(crowd.clients, servers, strict=False):
            before = await reads(http, server)
            while await reads(http, server) <= before:
                for job_id in crowd.steps.jobs:
                    await client.read(job_id)


async def reads(http: aiohttp.ClientSession, server: Server) -> float:
    async with http.get(server.url.replace("/graphql", "/metrics")) as response:
        return Scrape(await response.text())("mainsheet_replica_queries_total", outcome="replica") or 0
