"""What the tests share that replicate a database to standbys."""

import asyncio
from collections.abc import Iterable
from contextlib import AsyncExitStack

from sqlalchemy import make_url

from testbed.databases import connected, execute, migrated
from testbed.postgres import DURABLE, REPLICATED, Postgres, own_postgres
from tests.chaos.outside import Outside

DATABASE = "mainsheet"
STREAMING = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'"


async def migrated_primary(stack: AsyncExitStack) -> Postgres:
    """Start a server with a migrated database that standbys can follow."""
    primary = await asyncio.to_thread(stack.enter_context, own_postgres(DURABLE + REPLICATED))
    await execute(primary.url, f"CREATE DATABASE {DATABASE}")
    await migrated(direct_url(primary))
    return primary


def direct_url(server: Postgres) -> str:
    """Return the URL of the server's database without a proxy."""
    return make_url(server.url).set(database=DATABASE).render_as_string(hide_password=False)


def url_of_hosts(address: str, ports: Iterable[int]) -> str:
    """Return the URL that names the servers behind these ports."""
    hosts = ",".join(f"{address}:{port}" for port in ports)
    return f"postgresql://postgres@{hosts}/{DATABASE}?sslmode=disable"


async def are_streaming(primary: Postgres, count: int) -> None:
    """Wait until this many standbys follow the primary."""
    async with connected(primary.url) as connection:
        await Outside(connection, connection).sees(STREAMING, count)


async def let_follow(standby: Postgres, primary: Postgres) -> None:
    await configure(standby, f"ALTER SYSTEM SET primary_conninfo = 'host={primary.folder} user=postgres'")


async def configure(server: Postgres, statement: str) -> None:
    await execute(server.url, statement)
    await execute(server.url, "SELECT pg_reload_conf()")
