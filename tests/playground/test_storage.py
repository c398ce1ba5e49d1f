"""The page works with whatever the browser has stored for it, and without any storage."""

import json
import re

import pytest
from playwright.async_api import Dialog, Route, expect

from tests.playground.browser import Playground, opened
from tests.playground.conftest import Demo
from tests.playground.test_page import NOA

FIRST = "query MyJobs"
BLOCKED = """
for (const name of ['localStorage', 'sessionStorage'])
  Object.defineProperty(window, name, { get() { throw new DOMException('Access is denied.', 'SecurityError') } })
"""
FULL = "Storage.prototype.setItem = () => { throw new DOMException('No room.', 'QuotaExceededError') }"
UNREADABLE = [
    ("graphiql:queries", "{"),
    ("graphiql:queries", '{"queries": [null, {"query": 5}]}'),
    ("graphiql:favorites", "[]"),
    ("graphiql:tabState", '{"tabs": [{"query": 5}], "activeTabIndex": 0}'),
    ("mainsheet:filled", "{"),
]


async def runs_the_first_example(playground: Playground) -> None:
    await playground.run(FIRST)
    await expect(playground.response).to_contain_text('"totalCount"')
    await playground.choose("OneJob")
    await expect(playground.variables).to_contain_text("daily-sales-etl")


@pytest.mark.parametrize(("key", "text"), UNREADABLE)
async def test_what_cannot_be_read_is_ignored(playground: Playground, key: str, text: str) -> None:
    await playground.page.evaluate(
        "pair => { localStorage.clear(); localStorage.setItem(...pair) }", [f"/graphql {key}", text]
    )
    await playground.page.reload()

    await runs_the_first_example(playground)


@pytest.mark.parametrize("hindrance", [BLOCKED, FULL], ids=["blocked", "full"])
async def test_a_browser_that_stores_nothing_shows_the_page(playground: Playground, hindrance: str) -> None:
    await playground.page.evaluate("localStorage.clear()")
    await playground.page.add_init_script(hindrance)
    await playground.page.reload()

    await runs_the_first_example(playground)
    await playground.become(NOA)
    await playground.panel("Version History")


async def under_other_path(playground: Playground, demo: Demo) -> None:
    """Open the page as another server of the host, behind a proxy with paths."""

    async def forward(route: Route) -> None:
        await route.continue_(url=route.request.url.replace("/staging", "", 1))

    await playground.page.route("**/staging/**", forward)
    await playground.page.goto(demo.url.replace("/graphql", "/staging/graphql"))
    await expect(playground.page.locator(".graphiql-query-editor .view-line").first).to_be_visible()


async def test_a_server_at_another_path_of_the_host_gets_neither_token_nor_operations(no_demo: Demo) -> None:
    async with opened(no_demo.url) as playground:
        await playground.use_token(no_demo.tokens["viewer@harbor.example"])
        panel = await playground.panel("Collection")
        await panel.get_by_label("Name of the operation").fill("Ours")
        await panel.get_by_role("button", name="Save").click()
        await expect(panel.get_by_role("list")).to_contain_text("Ours")

        await under_other_path(playground, no_demo)

        await expect(playground.page.get_by_role("button", name="Set a token").first).to_be_visible()
        await expect(await playground.panel("Collection")).to_contain_text("Nothing yet.")
        playground.forgive("401")


async def test_operations_that_version_0_2_0_kept_for_the_host_are_still_there(no_demo: Demo) -> None:
    async with opened(no_demo.url) as playground:
        kept = [{"name": "Theirs", "query": "{ me { id } }", "variables": ""}]
        await playground.page.evaluate(
            "items => { localStorage.clear(); localStorage.setItem('mainsheet:collection', JSON.stringify(items)) }",
            kept,
        )
        await under_other_path(playground, no_demo)

        panel = await playground.panel("Collection")
        await expect(panel.get_by_role("listitem")).to_have_text([re.compile("Theirs")])
        playground.page.once("dialog", Dialog.accept)
        await panel.get_by_role("button", name="Delete Theirs").click()
        await expect(panel).to_contain_text("Nothing yet.")
        await panel.get_by_label("Name of the operation").fill("Ours")
        await panel.get_by_role("button", name="Save").click()
        await playground.page.reload()

        await expect(panel.get_by_role("listitem")).to_have_text([re.compile("Ours")])
        playground.forgive("401")


async def test_clearing_removes_what_version_0_2_0_kept(playground: Playground) -> None:
    entry = {"query": "query OfAnEarlierVersion { me { actor { id } } }"}
    await playground.page.evaluate(
        "text => { localStorage.clear(); localStorage.setItem('graphiql:queries', text) }",
        json.dumps({"queries": [entry]}),
    )
    await playground.page.reload()
    await playground.page.get_by_role("button", name="Show History").click()
    history = playground.page.locator(".graphiql-history")
    await expect(history).to_contain_text("OfAnEarlierVersion")

    await playground.page.get_by_role("button", name="Open settings dialog").click()
    await playground.page.get_by_role("button", name="Clear data").click()
    await expect(playground.page.get_by_role("button", name="Cleared data")).to_be_visible()

    assert "OfAnEarlierVersion" not in await playground.page.evaluate("JSON.stringify(localStorage)")
