"""A search finds exactly the jobs that contain its text, also after changes and deletions."""

import unicodedata
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mainsheet.models.database import Database
from mainsheet.models.search_text import fold, search_text
from mainsheet.resolvers.search import Grams, SearchTerm
from testbed.ask import Ask, Failed
from testbed.world import World

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
NOWHERE = {"zq", "sales daily", "quotess", "dai sal", "''''", '""""', "b\n\n\nd"}
BLANK = {"", " ", "\n\n", "\u00a0\u3000", "\u200b"}
TYPED = {  # search texts, and the names that contain them
    "Größe": ["Größe", unicodedata.normalize("NFD", "Größe"), "GRÖSSE", "gro\u00adße".replace("o", "ö")],
    unicodedata.normalize("NFD", "größe"): ["Größe"],
    "istanbul": ["İstanbul", "ISTANBUL", "\N{LATIN SMALL LETTER DOTLESS I}stanbul"],
    "İSTANBUL": ["istanbul"],
    "abc 1": ["\uff21\uff22\uff23\u3000\uff11"],
    "カタカナ": ["ｶﾀｶﾅ"],
    "sales\u200b": ["Sales"],
    "\u200e sales ": ["Sales"],
}


def holding(part: str) -> list[str]:
    texts = {key: search_text(key, job["name"].strip(), job.get("description")) for key, job in JOBS.items()}
    return [key for key, text in sorted(texts.items()) if fold(part).strip() in text]


@pytest.fixture
async def ids(ask: Ask, world: World) -> dict[str, str]:
    return {key: await ask.create_job(world.contributor, world, jobKey=key, **job) for key, job in JOBS.items()}


async def found(ask: Ask, world: World, part: str) -> list[str]:
    page = (await ask(world.contributor, SEARCH, text=part))["jobs"]
    assert page["totalCount"] == len(page["nodes"])
    return [each["jobKey"] for each in page["nodes"]]


@pytest.mark.usefixtures("ids")
@pytest.mark.parametrize("parts", [PARTS, VALUES, NOWHERE, BLANK], ids=["parts", "whole", "nowhere", "blank"])
async def test_each_substring_finds_exactly_its_jobs(ask: Ask, world: World, parts: set[str]) -> None:
    for part in sorted(parts):
        assert await found(ask, world, part) == holding(part), part


@pytest.mark.parametrize("text", TYPED, ids=ascii)
async def test_a_search_ignores_case_and_composition(ask: Ask, world: World, text: str) -> None:
    for number, name in enumerate(TYPED[text]):
        await ask.create_job(world.contributor, world, jobKey=f"job-{number}", name="x", description=name)
    await ask.create_job(world.contributor, world, jobKey="other", name="other")

    assert await found(ask, world, text) == [f"job-{number}" for number in range(len(TYPED[text]))]


@pytest.mark.parametrize(("text", "code"), [("x" * 256, "255"), ("a\0", "U\\+0000"), ("\ud800", "U\\+D800")], ids=ascii)
async def test_a_search_text_over_the_limit_is_refused(ask: Ask, world: World, text: str, code: str) -> None:
    with pytest.raises(Failed, match=f"filter.search: .*{code}"):
        await found(ask, world, text)


@given(st.text())
def test_folding_is_idempotent_and_ignores_normal_forms(text: str) -> None:
    folded = fold(text)

    assert fold(folded) == folded
    assert {fold(unicodedata.normalize(form, text)) for form in ("NFC", "NFD", "NFKC", "NFKD")} == {folded}


@pytest.mark.parametrize(
    ("text", "grams"),
    [
        ("a", ["a"]),
        ("ab", ["ab"]),
        ("abc", ["abc"]),
        ("abcd", ["abc", "bcd"]),
        ("abcde", ["abc", "cde"]),
        ("abcdef", ["abc", "def"]),
        ("abcdefg", ["abc", "def", "efg"]),
        ("aaaaaaa", ["aaa"]),
    ],
)
async def test_the_index_is_searched_for_the_fewest_trigrams(text: str, grams: list[str], database: Database) -> None:
    dialect = database.writes.dialect

    sent = Grams().process_bind_param(SearchTerm("OR1", text), dialect)

    if database.is_sqlite:
        parts = [f'"OR1_{each.encode().hex()}"{"" if len(each) == 3 else "*"}' for each in grams]
        assert sent == " AND ".join(parts)
    else:
        assert sent == " & ".join(f"'OR1_{each}'{'' if len(each) == 3 else ':*'}" for each in grams)


async def test_a_search_follows_changes_and_deletions(ask: Ask, world: World, ids: dict[str, str]) -> None:
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
