"""Databases of PostgreSQL that aren't encoded in UTF-8, as `initdb` creates them without a locale."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import make_url

from testbed.databases import execute, postgres_database
from tests.releases.kept import restore_postgresql
from tests.server.commands import invoke
from tests.server.test_cli import refused

ENCODING = "TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'"


@pytest.fixture
async def ascii_url(postgres_server: str) -> AsyncIterator[str]:
    """An empty database."""
    async with postgres_database(postgres_server) as url:
        name = make_url(url).database
        await execute(postgres_server, f"DROP DATABASE {name}")
        await execute(postgres_server, f"CREATE DATABASE {name} {ENCODING}")
        yield url


def test_no_tables_are_created_in_a_database_of_another_encoding(ascii_url: str) -> None:
    said = refused(invoke("db", "upgrade", MAINSHEET_DATABASE_URL=ascii_url))

    assert said == "The database has the encoding SQL_ASCII: create one with the encoding UTF8"
    assert "no tables yet" in refused(invoke("db", "check", MAINSHEET_DATABASE_URL=ascii_url))


async def test_a_database_that_has_another_encoding_is_described(ascii_url: str) -> None:
    await asyncio.to_thread(restore_postgresql, "0.2.0", ascii_url)
    own = {"MAINSHEET_DATABASE_URL": ascii_url}

    upgraded = await asyncio.to_thread(invoke, "db", "upgrade", **own)
    checked = await asyncio.to_thread(invoke, "db", "check", **own)

    assert upgraded.returncode == 0
    assert (checked.returncode, checked.stdout) == (1, "The database has the encoding SQL_ASCII, but needs UTF8.\n")
