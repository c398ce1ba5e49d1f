"""The table of a response's connections, its pages, and the response as a file."""

import json
from pathlib import Path
from urllib.parse import urlencode

import pytest
from graphql import build_schema
from playwright.async_api import Locator, expect

from tests.playground.browser import Playground
from tests.playground.conftest import Demo

ADMIN = "admin@harbor.example"
NUMBERED = (
    "query Numbered { me { jobs(limit: 3, sortBy: JOB_KEY) { nodes { jobKey currentVersion { cluster { name } } } } } }"
)
DEFAULTS = (
    "query Defaults($page: Int = 2, $limit: Int = 3) "
    "{ jobs(page: $page, limit: $limit, sortBy: JOB_KEY) { totalCount nodes { jobKey } } }"
)
CURSORS = "query Cursors($after: String) { jobs(first: 3, after: $after, sortBy: JOB_KEY) { ...Listed } }"
LISTED = "fragment Listed on JobConnection { edges { node { jobKey } } pageInfo { hasNextPage endCursor } }"
BARE = "query Bare { teams { nodes { name members { nodes { displayName } } } } clusters(last: 1) { nodes { name } } }"


async def table_of(playground: Playground, query: str, name: str) -> Locator:
    await playground.page.evaluate("hash => (location.hash = hash)", urlencode({"query": query, "panel": "Table"}))
    await expect(playground.page.get_by_role("tab", name=name)).to_be_visible()
    await playground.run(f"query {name}")
    panel = playground.page.get_by_role("region", name="Table")
    await expect(panel.get_by_role("table")).to_be_visible()
    return panel


async def keys(demo: Demo) -> list[str]:
    found = await demo.ask(ADMIN, "{ jobs(sortBy: JOB_KEY) { nodes { jobKey } } }")
    return [job["jobKey"] for job in found["data"]["jobs"]["nodes"]]


async def expect_column(panel: Locator, column: int, values: list[str]) -> None:
    await expect(panel.locator(f"tbody td:nth-child({column})")).to_have_text(values)


@pytest.mark.parametrize(
    ("query", "name"), [(NUMBERED, "Numbered"), (f"{CURSORS} {LISTED}", "Cursors")], ids=["numbered", "cursors"]
)
async def test_a_list_is_read_page_by_page(playground: Playground, demo: Demo, query: str, name: str) -> None:
    jobs = await keys(demo)
    panel = await table_of(playground, query, name)
    await expect_column(panel, 1, jobs[:3])
    await expect(panel.get_by_role("button", name="Previous page")).to_be_disabled()

    await panel.get_by_role("button", name="Next page").click()
    await expect_column(panel, 1, jobs[3:6])
    await panel.get_by_role("button", name="Next page").click()
    await expect_column(panel, 1, jobs[6:9])
    await panel.get_by_role("button", name="Previous page").click()

    await expect_column(panel, 1, jobs[3:6])


async def test_a_variable_names_the_page(playground: Playground) -> None:
    await playground.run("query MyJobs")
    panel = await playground.panel("Table")
    first = await panel.locator("tbody").inner_text()
    await panel.get_by_role("button", name="Next page").click()

    await expect(panel.locator("tbody")).not_to_have_text(first, use_inner_text=True)
    await expect(panel.get_by_role("status")).to_contain_text("10 rows of")
    await expect(playground.variables).to_contain_text('"page": 1')


async def test_a_default_names_the_page_and_its_size(playground: Playground, demo: Demo) -> None:
    jobs = await keys(demo)
    panel = await table_of(playground, DEFAULTS, "Defaults")
    await expect_column(panel, 1, jobs[3:6])
    await panel.get_by_role("button", name="Next page").click()

    await expect_column(panel, 1, jobs[6:9])


async def test_values_below_a_row_are_columns(playground: Playground) -> None:
    panel = await table_of(playground, NUMBERED, "Numbered")

    await expect(panel.get_by_role("columnheader")).to_have_text(["jobKey", "currentVersion.cluster.name"])


async def test_each_list_of_a_response_can_be_shown(playground: Playground) -> None:
    panel = await table_of(playground, BARE, "Bare")
    await expect(panel).to_contain_text("Select pageInfo { hasNextPage endCursor } to read on.")
    await expect(panel.locator("tbody tr").first).to_contain_text(", ")  # the members of a team

    await panel.get_by_label("List").select_option("clusters")

    await expect(panel.locator("tbody tr")).to_have_count(1)
    await expect(panel).to_contain_text("A list that is read backwards has no next page here.")
    await expect(panel.get_by_role("button", name="Next page")).to_be_disabled()


async def test_a_response_without_a_list_says_so(playground: Playground) -> None:
    panel = await playground.panel("Table")

    await expect(panel).to_contain_text("Run an operation that selects the nodes or edges of a list.")


async def test_the_response_and_the_schema_can_be_downloaded(playground: Playground, tmp_path: Path) -> None:
    await playground.run("query MyJobs")
    await expect(playground.response).to_contain_text('"totalCount"')

    async with playground.page.expect_download() as download:
        await playground.page.get_by_role("button", name="Download the response").click()
    file = await download.value

    await file.save_as(tmp_path / "response.json")
    assert file.suggested_filename == "MyJobs.json"
    assert json.loads((tmp_path / "response.json").read_text())["data"]["me"]["jobs"]["totalCount"] > 10

    async with playground.page.expect_download() as download:
        await playground.page.get_by_role("button", name="Download the schema").click()
    file = await download.value
    await file.save_as(tmp_path / "schema.graphql")
    assert file.suggested_filename == "schema.graphql"
    assert build_schema((tmp_path / "schema.graphql").read_text()).get_type("Job")
