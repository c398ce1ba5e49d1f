"""A failure is shown in one sentence with a remedy, and doesn't break the rest of the page."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Locator, Request, Route, expect
from yarl import URL

from mainsheet.server.http.playground import Playground as Page
from tests.playground.browser import Playground, opened
from tests.playground.conftest import Demo, served
from tests.playground.test_changes import history
from tests.playground.test_page import ADA, NOA, PRIYA

VIEWER = "viewer@harbor.example"

Start = Callable[..., AbstractAsyncContextManager[Demo]]


@pytest.fixture
def start(sqlite_demo: Path, tmp_path: Path) -> Start:
    """Serve the demo's data; each start has tokens of its own."""
    return lambda **options: served(sqlite_demo, tmp_path, Page.built(), **options)


@asynccontextmanager
async def slow_network(playground: Playground) -> AsyncIterator[None]:
    """Delay each GraphQL request until the block ends."""
    is_over = asyncio.Event()

    async def hold(route: Route) -> None:
        await is_over.wait()
        await route.fallback()

    await playground.page.route("**/graphql", hold)
    yield
    is_over.set()


def alert(playground: Playground) -> Locator:
    return playground.page.locator(".notice[role=alert]")


def without(page: Page, name: str) -> None:
    """Remove a file of the page, as an upgrade does."""
    for file in [file for file in page.assets if file.startswith(name)]:
        del page.assets[file]


async def test_a_panel_that_fails_leaves_the_editors(playground: Playground) -> None:
    async def odd(route: Route) -> None:
        await route.fulfill(json={"data": {"jobs": None}})

    await playground.page.route("**/graphql", odd)
    await playground.page.get_by_role("button", name="Show Version History").click()

    await expect(alert(playground)).to_contain_text("This part of the page failed. Reload the page")
    await expect(playground.page.locator(".graphiql-query-editor .view-line").first).to_be_visible()
    playground.complaints.clear()  # React notes the failure


async def test_a_failed_page_shows_a_message(demo: Demo) -> None:
    async with opened(demo.url) as playground:
        await playground.page.route("**/playground/members", lambda route: route.fulfill(json=[{}]))
        await playground.page.reload()

        await expect(alert(playground)).to_contain_text("This part of the page failed. Reload the page")
        await playground.page.unroute_all()
        await playground.page.get_by_role("button", name="Reload the page").click()

        await expect(playground.page.get_by_role("button", name="You are")).to_contain_text(ADA)
        playground.complaints.clear()


@pytest.mark.parametrize("part", ["Versions", "Cost"])
async def test_a_missing_panel_offers_to_reload(demo: Demo, page: Page, part: str) -> None:
    async with opened(demo.url) as playground:
        without(page, part)
        panel = {"Versions": "Version History"}.get(part, part)
        await playground.page.get_by_role("button", name=f"Show {panel}").click()

        await expect(alert(playground)).to_contain_text("A part of the page can't be loaded")
        await expect(playground.page.get_by_role("button", name="Reload the page")).to_be_visible()
        playground.forgive("404")


async def test_a_missing_editor_offers_to_reload(demo: Demo, page: Page) -> None:
    async with opened(demo.url) as playground:
        without(page, "monaco-editor")
        await playground.page.context.clear_cookies()
        await playground.page.route("**/monaco-editor-*", lambda route: route.fulfill(status=404))
        await playground.page.reload()

        await expect(alert(playground)).to_contain_text("A part of the page can't be loaded")
        await playground.page.wait_for_load_state("networkidle")  # missing files are reported one after the other
        playground.complaints.clear()


async def test_a_missing_page_says_to_reload(demo: Demo) -> None:
    async with opened(demo.url) as playground:
        await playground.page.route("**/assets/index-*.js", lambda route: route.fulfill(status=404))
        await playground.page.reload()

        await expect(playground.page.get_by_text("If this stays, reload the page")).to_be_visible()
        playground.forgive("404")


async def test_an_unreachable_server_is_reported(start: Start) -> None:
    async with AsyncExitStack() as server:
        demo = await server.enter_async_context(start(is_demo=True))
        async with opened(demo.url) as playground:
            await playground.settle()
            await server.aclose()
            await playground.run("query MyJobs")

            await expect(alert(playground)).to_have_text(
                "The server can't be reached. Check that it is running, then run the operation again."
            )
            playground.forgive("ERR_CONNECTION_REFUSED")


async def test_an_html_response_of_a_proxy_is_reported(playground: Playground) -> None:
    html = "<html><body><h1>502 Bad Gateway</h1></body></html>"
    await playground.page.route(
        "**/graphql", lambda route: route.fulfill(status=502, body=html, content_type="text/html")
    )
    await playground.run("query MyJobs")

    await expect(alert(playground)).to_contain_text(
        "A proxy answered 502 Bad Gateway because it can't reach the server"
    )
    await expect(playground.page.locator("body")).not_to_contain_text("SyntaxError")
    playground.forgive("502")


async def test_a_change_without_a_response_is_reported_as_uncertain(playground: Playground) -> None:
    await playground.choose("LifeOfAVersion")
    await expect(playground.variables).not_to_contain_text("<id of")
    await playground.page.route("**/graphql", lambda route: route.abort())
    await playground.run("mutation CreateDraft")

    await expect(alert(playground)).to_contain_text("The mutation may have been executed anyway")
    playground.forgive("ERR_FAILED")


async def test_the_page_uses_the_new_tokens_of_a_restarted_demo(start: Start) -> None:
    async with AsyncExitStack() as server:
        before = await server.enter_async_context(start(is_demo=True))
        async with opened(before.url) as playground:
            await playground.settle()
            await server.aclose()
            async with start(is_demo=True, port=URL(before.url).port) as after:
                await playground.run("query MyJobs")

                await expect(playground.response).to_contain_text('"displayName": "Ada Lindqvist"')
                assert after.tokens != before.tokens
                playground.forgive("401")


async def test_a_token_that_ended_can_be_replaced(start: Start) -> None:
    async with AsyncExitStack() as server:
        before = await server.enter_async_context(start(is_demo=False))
        async with opened(before.url) as playground:
            await playground.use_token(before.tokens[VIEWER])
            await playground.settle()
            await server.aclose()
            async with start(is_demo=False, port=URL(before.url).port) as after:
                await playground.run("query MyJobs")
                await expect(alert(playground)).to_contain_text("The server refuses your token")

                await alert(playground).get_by_role("button", name="Set a token").click()
                await playground.page.get_by_label("Token", exact=True).fill(after.tokens[VIEWER])
                await playground.page.keyboard.press("Enter")
                await playground.run("query MyJobs")

                await expect(playground.response).to_contain_text('"displayName": "Priya Raman"')
                playground.forgive("401")


async def test_the_schema_is_loaded_with_a_valid_token(no_demo: Demo) -> None:
    async with opened(no_demo.url) as playground:
        await playground.use_token(no_demo.tokens[VIEWER])
        await playground.page.get_by_role("button", name="Show Documentation Explorer").click()

        explorer = playground.page.locator(".graphiql-doc-explorer")
        await expect(explorer.get_by_role("link", name="Mutation", exact=True)).to_be_visible()
        playground.forgive("401")


async def test_a_missing_token_is_reported_before_anything_runs(no_demo: Demo) -> None:
    async with opened(no_demo.url) as playground:
        await expect(alert(playground)).to_contain_text("The server needs a token. Set yours.")
        await expect(playground.response).not_to_contain_text("errors")

        await playground.use_token(no_demo.tokens[VIEWER])

        await expect(alert(playground)).to_have_count(0)
        playground.forgive("401")


async def test_stop_aborts_the_request(playground: Playground) -> None:
    aborted: asyncio.Queue[str | None] = asyncio.Queue()

    def aborts(request: Request) -> None:
        aborted.put_nowait(request.failure)

    playground.page.on("requestfailed", aborts)
    async with slow_network(playground):
        await playground.run("query MyJobs")
        await playground.page.get_by_role("button", name="Stop query").click()

        assert await aborted.get() == "net::ERR_ABORTED"
        await expect(alert(playground)).to_have_text("Stopped. Nothing was changed.")
        await expect(playground.page.get_by_role("button", name="Execute query")).to_be_visible()


async def test_a_response_appears_in_the_tab_that_sent_it(playground: Playground) -> None:
    await playground.settle()
    async with slow_network(playground):
        await playground.run("query MyJobs")
        await playground.choose("OneJob")
    await playground.settle()
    await expect(playground.response).not_to_contain_text("data")

    await playground.choose("MyJobs")

    await expect(playground.response).to_contain_text('"totalCount"')


async def test_a_tab_waits_for_its_request_again(playground: Playground) -> None:
    async with slow_network(playground):
        await playground.run("query MyJobs")
        await playground.page.get_by_role("button", name="New tab").click()
        await expect(playground.page.get_by_role("button", name="Execute query")).to_be_visible()

        await playground.choose("MyJobs")
        await expect(playground.page.get_by_role("button", name="Stop query")).to_be_visible()

    await expect(playground.response).to_contain_text('"totalCount"')


async def test_a_response_appears_for_the_member_who_sent_it(playground: Playground) -> None:
    await playground.settle()
    async with slow_network(playground):
        await playground.run("query MyJobs")
        await playground.become(NOA)
    await playground.settle()
    await expect(playground.response).not_to_contain_text("Ada Lindqvist")

    await playground.become(ADA)
    await expect(playground.response).to_contain_text('"displayName": "Ada Lindqvist"')

    await playground.become(PRIYA)
    await expect(playground.response).not_to_contain_text("Ada Lindqvist")


async def test_a_response_of_another_tab_does_not_scroll(playground: Playground) -> None:
    page = playground.page
    await page.set_viewport_size({"width": 390, "height": 640})
    await history(playground, "orders-ingest")  # the panel loads it again when the page has handled a response
    session = page.locator("#graphiql-session")
    top = "session => session.scrollTop"
    async with page.expect_request(is_history):
        await page.get_by_role("button", name="Execute query").click()
    assert await session.evaluate(top) > 0

    async with page.expect_request(is_history), slow_network(playground):
        await page.get_by_role("button", name="Execute query").click()
        await playground.choose("LifeOfAVersion")
        await session.evaluate("session => (session.scrollTop = 0)")

    assert await session.evaluate(top) == 0


def is_history(request: Request) -> bool:
    return "query VersionHistory" in (request.post_data or "")
