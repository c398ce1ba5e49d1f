"""The panels with more than one page of jobs, versions, events, clusters and teams."""

import asyncio
import re
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from playwright.async_api import Route, expect

from tests.playground.browser import Playground, opened
from tests.playground.conftest import Demo

ADMIN, VIEWER = "admin@harbor.example", "viewer@harbor.example"
HARBOR = "(SELECT organization_id FROM job WHERE job_key = 'orders-ingest')"
MANY = "WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 219)"
IDS = """{
  job: jobByKey(jobKey: "stock-snapshot") { id currentVersion { cluster { id } } teams { nodes { id } } }
}"""
SMALL = "query Small { me { actor { displayName } } }"

Insert = Callable[[str, str, str], Awaitable[None]]


@pytest.fixture
def insert(tmp_path: Path) -> Insert:
    """Insert 120 rows into the served database; `i` numbers them. The server may hold the lock: let it go on."""

    def execute(table: str, names: str, columns: str) -> None:
        with sqlite3.connect(tmp_path / "demo.sqlite3") as connection:
            connection.execute(f"{MANY.replace('WITH', f'INSERT INTO {table} ({names}) WITH')} SELECT {columns} FROM n")

    async def insert(table: str, names: str, columns: str) -> None:
        await asyncio.to_thread(execute, table, names, columns)

    return insert


async def new_tab(playground: Playground, query: str) -> None:
    await playground.page.get_by_role("button", name="New tab").click()
    await playground.page.locator(".graphiql-query-editor textarea").focus()
    await playground.page.keyboard.press("Control+A")
    await playground.page.keyboard.insert_text(query)
    await playground.page.keyboard.press("Control+Enter")


async def change(demo: Demo, fields: str) -> None:
    answer = await demo.ask(ADMIN, f"mutation {{ {fields} }}")
    assert "errors" not in answer, answer
    assert all(not payload["userErrors"] for payload in answer["data"].values()), answer


async def test_a_search_finds_jobs_beyond_the_list(playground: Playground, demo: Demo) -> None:
    job = (await demo.ask(ADMIN, IDS))["data"]["job"]
    rest = f"""
        name: "Many", teamIds: ["{job["teams"]["nodes"][0]["id"]}"],
        config: {{
          clusterId: "{job["currentVersion"]["cluster"]["id"]}", source: {{ sqlSnapshot: {{ sql: "SELECT 1" }} }}
        }}
    """
    for ten in range(10, 20):
        keys = [f"a-{ten}{one}" for one in range(10)]
        creations = [f'c{i}: createJob(input: {{ jobKey: "{k}", {rest} }})' for i, k in enumerate(keys)]
        await change(demo, " ".join(f"{creation} {{ userErrors {{ message }} }}" for creation in creations))

    panel = await playground.panel("Version History")
    await expect(panel).to_contain_text(re.compile(r"The list has 100 of 1\d\d jobs"))
    await panel.get_by_label("Search jobs").fill("orders-ing")
    await panel.get_by_label("Job", exact=True).select_option("orders-ingest")

    await expect(panel.locator(".timeline .current")).to_contain_text("v5")


async def test_older_versions_can_be_loaded(playground: Playground, demo: Demo) -> None:
    job_id = (await demo.ask(ADMIN, IDS))["data"]["job"]["id"]
    for number in range(25):
        config = f'jobId: "{job_id}", changes: {{ maxRetries: {number % 10} }}'
        await change(demo, f"createVersion(input: {{ {config} }}) {{ userErrors {{ message }} }}")
    for number in range(110):
        update = f'jobId: "{job_id}", description: "{number}"'
        await change(demo, f"updateJob(input: {{ {update} }}) {{ userErrors {{ message }} }}")
    activation = f'jobId: "{job_id}", number: 2, message: "back again"'
    await change(demo, f"activateVersion(input: {{ {activation} }}) {{ userErrors {{ message }} }}")

    panel = await playground.panel("Version History")
    await panel.get_by_label("Job", exact=True).select_option("stock-snapshot")
    await expect(panel.locator(".timeline .activation").first).to_contain_text("Back to v2: back again")
    await expect(panel.get_by_role("button", name=re.compile("^v1 "))).to_have_count(0)
    await panel.get_by_role("button", name="Older versions").click()

    await expect(panel.get_by_role("button", name=re.compile("^v1 "))).to_be_visible()
    await expect(panel.get_by_role("button", name="Older versions")).to_have_count(0)


async def test_differences_appear_below_the_clicked_version(playground: Playground) -> None:
    panel = await playground.panel("Version History")
    await panel.get_by_label("Job", exact=True).select_option("orders-ingest")
    await panel.get_by_role("button", name=re.compile(r"^v2\b")).click()

    version = panel.get_by_role("listitem").filter(has=panel.page.get_by_role("button", name=re.compile(r"^v2\b")))
    await expect(version.get_by_role("region", name="What differs in v2").locator("figure").first).to_be_visible()
    await expect(panel.locator(".differences")).to_have_count(1)


async def test_names_replace_ids_beyond_the_first_100_clusters(playground: Playground, insert: Insert) -> None:
    names = "id, organization_id, name, region, status, revision"
    await insert("cluster", names, f"'CL' || i || 'AAAAAAAAAAAAAAA', {HARBOR}, 'a-' || i, 'nowhere', 'ACTIVE', 1")
    panel = await playground.panel("Version History")
    await panel.get_by_label("Job", exact=True).select_option("orders-ingest")
    await panel.get_by_role("button", name=re.compile(r"^v5\b")).click()
    await panel.get_by_label("From", exact=True).select_option("v1")

    cluster = panel.locator(".differences figure").filter(has=panel.page.get_by_title("clusterId", exact=True))
    await expect(cluster.locator(".removed")).to_contain_text("- legacy-eu")


async def test_a_team_beyond_the_first_100_can_be_chosen(no_demo: Demo, insert: Insert) -> None:
    await insert(
        "team", "id, organization_id, name, revision", f"'TM' || i || 'AAAAAAAAAAAAAAA', {HARBOR}, 'a-' || i, 1"
    )
    async with opened(no_demo.url) as playground:
        await playground.use_token(no_demo.tokens[ADMIN])
        await playground.choose("TeamAccess")
        await playground.run_from_menu("Share")
        team = playground.page.get_by_role("dialog").get_by_label("Team", exact=True)
        await team.select_option("platform")

        await expect(team.locator("option")).to_have_count(1 + 120 + 3)
        playground.forgive("401")


async def test_the_cost_panel_ignores_its_own_trace(playground: Playground) -> None:
    panel = await playground.panel("Cost")
    await new_tab(playground, SMALL)

    answer = '{"data":{"me":{"actor":{"displayName":"Ada Lindqvist"}}}}'
    await expect(panel).to_contain_text(f"{len(answer)} bytes")
    await expect(panel).to_contain_text("The difference is the server's own work")


async def test_the_cost_panel_explains_a_refusal(playground: Playground) -> None:
    panel = await playground.panel("Cost")
    await new_tab(playground, SMALL)
    await expect(panel.locator(".figures")).to_contain_text("Small")
    await new_tab(playground, "query Wrong { nonsense }")

    await expect(panel).to_contain_text("refused the last operation before it ran")
    await expect(panel).to_contain_text("Cannot query field 'nonsense'")
    await expect(panel.locator(".figures")).to_contain_text("Small")
    playground.forgive("400")


async def test_the_first_tab_can_be_clicked_over_scrolled_editors(playground: Playground) -> None:
    await playground.choose("LifeOfAVersion")
    await playground.page.locator(".graphiql-query-editor textarea").focus()
    await playground.page.keyboard.press("Control+End")
    await expect(playground.page.get_by_text("# The life of a version")).to_have_count(0)

    await playground.page.get_by_role("tab", name="MyJobs").click(position={"x": 30, "y": 15})

    await expect(playground.page.get_by_text("# My jobs")).to_be_visible()


async def test_a_new_tab_begins_with_a_hint(playground: Playground) -> None:
    await playground.page.get_by_role("button", name="New tab").click()

    await expect(playground.page.locator(".graphiql-query-editor .view-lines")).to_contain_text("Ctrl-Space completes")


@pytest.mark.parametrize(
    ("token", "problem"),
    [("mst_nonsense", "The server refuses your token"), ("two words", "A token is one word without spaces")],
)
async def test_a_pasted_token_is_checked(no_demo: Demo, token: str, problem: str) -> None:
    async with opened(no_demo.url) as playground:
        await playground.paste_token(token)

        await expect(playground.page.get_by_role("dialog").get_by_role("alert")).to_contain_text(problem)
        assert token not in await playground.page.evaluate("JSON.stringify({...sessionStorage})")
        playground.forgive("401")


async def test_the_owner_of_a_token_is_shown_after_a_reload(no_demo: Demo) -> None:
    async with opened(no_demo.url) as playground:
        await playground.use_token(f"Bearer {no_demo.tokens[VIEWER]}")
        owner = playground.page.get_by_role("button", name="Priya Raman MEMBER of harbor")
        await expect(owner).to_be_visible()

        await playground.page.reload()

        await expect(owner).to_be_visible()
        playground.forgive("401")


async def test_initials_are_whole_characters(no_demo: Demo) -> None:
    me = await no_demo.ask(VIEWER, "{ me { actor { id } } }")
    member = me["data"]["me"]["actor"]["id"]
    await change(
        no_demo, f'updateMember(input: {{ memberId: "{member}", name: "Priya 🦜" }}) {{ userErrors {{ message }} }}'
    )
    async with opened(no_demo.url) as playground:
        await playground.use_token(no_demo.tokens[VIEWER])

        await expect(playground.page.locator(".who-face")).to_have_text("P🦜")
        playground.forgive("401")


async def test_a_token_without_the_scope_read_runs_mutations(no_demo: Demo) -> None:
    create = 'mutation { createAccessToken(input: { name: "plane", scopes: [RUNS] }) { secret } }'
    token = (await no_demo.ask(ADMIN, create))["data"]["createAccessToken"]["secret"]
    async with opened(no_demo.url) as playground:
        await playground.use_token(token)
        await expect(playground.page.get_by_role("button", name="Token set")).to_be_visible()

        await new_tab(playground, "mutation Claim { claimRuns(input: { clusterIds: [] }) { runs { attempt } } }")

        await expect(playground.response).to_contain_text('"claimRuns"')
        playground.forgive("401")


async def test_a_token_that_is_cancelled_while_it_is_checked_is_not_used(no_demo: Demo) -> None:
    is_checked, is_cancelled = asyncio.Event(), asyncio.Event()

    async def hold(route: Route) -> None:
        await is_cancelled.wait()
        await route.fulfill(response=await route.fetch())
        is_checked.set()

    async with opened(no_demo.url) as playground:
        await playground.use_token(no_demo.tokens[ADMIN])
        await playground.settle()
        owner = playground.page.locator(".who")
        await owner.click()
        await playground.page.route("**/graphql", hold)
        await playground.page.get_by_label("Token", exact=True).fill(no_demo.tokens[VIEWER])
        async with playground.page.expect_request(lambda request: request.method == "POST"):
            await playground.page.keyboard.press("Enter")
        await playground.page.keyboard.press("Escape")
        await expect(playground.page.get_by_role("dialog")).to_have_count(0)
        is_cancelled.set()
        await is_checked.wait()
        await playground.run("query MyJobs")

        await expect(playground.response).to_contain_text('"displayName": "Ada Lindqvist"')
        playground.forgive("401")
