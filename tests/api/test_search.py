"""A search finds what holds its text: whatever the text is, and whatever has become of the job since."""

from collections.abc import Mapping
from typing import Any

import pytest

from models.database import Database
from tests.api.ask import Ask
from tests.world import World

SEARCH = "query ($text: String!) { jobs(filter: {search: $text}, sortBy: JOB_KEY) { nodes { jobKey } totalCount } }"
RENAME = "mutation ($input: UpdateJobInput!) { updateJob(input: $input) { userErrors { code } } }"
DELETE = "mutation ($input: DeleteJobInput!) { deleteJob(input: $input) { userErrors { code } } }"
JOBS: Mapping[str, Mapping[str, Any]] = {
    "a": {"name": "b"},
    "plain": {"name": "Daily sales", "description": "Each day, daily"},
    "quotes": {"name": 'it\'s "so" called', "description": "''' and \"\"\""},
    "signs": {"name": r"100%_\\ /* & | ! <-> : ( ) ^ + - NOT", "description": "a AND b OR c NEAR(d)"},
    "folded": {"name": "Straße İZMİR Ärger ﬁn", "description": "日本語の仕事 👩\u200d🔬🧪"},
    "spaces": {"name": "  two  ", "description": "tab\tline\n\nbreak "},
}
VALUES = {value for key, job in JOBS.items() for value in (key, *job.values())}
PARTS = {value[start : start + size] for value in VALUES for size in range(1, 6) for start in range(len(value))}
NOWHERE = {"zq", "sales daily", "quotess", "dai sal", "''''", '""""', "b\n\n", "\n\n\n"}


def holding(part: str) -> list[str]:
    return [key for key, job in sorted(JOBS.items()) if part.casefold() in _text(key, **job)]


def _text(key: str, name: str, description: str = "") -> str:
    return f"{key}\n{name}\n{description}".casefold()


@pytest.fixture
async def ids(ask: Ask, world: World) -> dict[str, str]:
    return {key: await ask.create_job(world.contributor, world, jobKey=key, **job) for key, job in JOBS.items()}


async def found(ask: Ask, world: World, part: str) -> list[str]:
    page = (await ask(world.contributor, SEARCH, text=part))["jobs"]
    assert page["totalCount"] == len(page["nodes"])
    return [each["jobKey"] for each in page["nodes"]]


@pytest.mark.usefixtures("ids")
@pytest.mark.parametrize("parts", [PARTS, VALUES, NOWHERE, {""}], ids=["parts", "whole", "nowhere", "empty"])
async def test_each_part_of_a_text_is_found_where_it_is_and_nowhere_else(
    ask: Ask, world: World, parts: set[str]
) -> None:
    for part in sorted(parts):
        assert await found(ask, world, part) == holding(part), part


async def test_a_search_knows_of_changes_and_deletions(ask: Ask, world: World, ids: dict[str, str]) -> None:
    await ask(world.contributor, RENAME, input={"jobId": ids["plain"], "name": "Weekly sales"})
    await ask(world.admin, DELETE, input={"jobId": ids["quotes"]})

    assert await found(ask, world, "weekly") == ["plain"]
    assert await found(ask, world, "daily s") == []
    assert await found(ask, world, "it's") == []
    assert await found(ask, world, "y") == ["plain"]


async def test_a_search_survives_vacuum(ask: Ask, world: World, database: Database, ids: dict[str, str]) -> None:
    await ask(world.admin, DELETE, input={"jobId": ids["a"]})
    async with database.writes.connect() as connection:
        driver: Any = (await connection.get_raw_connection()).driver_connection
        await driver.execute("VACUUM")

    for part in sorted(VALUES - {"a", "b"}):
        assert await found(ask, world, part) == holding(part)
