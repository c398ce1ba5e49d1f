"""The editors' queries may be read from a replica that has the page's own changes."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.request import Request, urlopen

from playwright.async_api import Route, expect

from tests.playground.browser import Playground, opened
from tests.playground.test_panels import new_tab
from tests.server.commands import serving

ADMIN = "admin@harbor.example"
HEADER = "x-mainsheet-consistency"
OLDEST = "{ events(first: 1) { nodes { cursor } } }"
FIND = "query Find { teams { totalCount } }"
CHANGE = 'mutation Change { createTeam(input: { name: "divers" }) { team { name } } }'
SECOND = 'mutation Second { createTeam(input: { name: "riggers" }) { team { name } } }'
THIRD = 'mutation Third { createTeam(input: { name: "sailors" }) { team { name } } }'
WATCH = 'subscription Watch { events(after: "%s") { cursor action } }'


def oldest_cursor(url: str, token: str) -> str:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    with urlopen(Request(url, json.dumps({"query": OLDEST}).encode(), headers)) as response:
        cursor: str = json.load(response)["data"]["events"]["nodes"][0]["cursor"]
        return cursor


async def sent(playground: Playground, operation: str, shown: str) -> str | None:
    """Run an operation in a new tab. Return the header that the page sent with it."""
    name = operation.split()[1]
    async with playground.page.expect_request(lambda each: name in (each.post_data or "")) as request:
        await new_tab(playground, operation)
    await expect(playground.response).to_contain_text(shown)
    return (await request.value).headers.get(HEADER)


async def test_a_query_asks_for_the_state_after_the_last_mutation(postgres_demo_url: str) -> None:
    environment = {"MAINSHEET_DATABASE_URL": postgres_demo_url, "MAINSHEET_REPLICA_URLS": postgres_demo_url}
    with serving("--demo", environment=environment) as server:
        async with opened(server.url) as playground:
            # Ada, the first member, is the administrator.
            before = await sent(playground, FIND, "totalCount")
            while_changing = await sent(playground, CHANGE, "divers")
            after = await sent(playground, FIND, "totalCount")
            await new_tab(playground, WATCH % await asyncio.to_thread(oldest_cursor, server.url, server.tokens[ADMIN]))
            await expect(playground.response).to_contain_text("action")
            after_an_event = await sent(playground, FIND, "totalCount")

    assert [before, while_changing, after_an_event] == [None, None, None]
    assert after


@asynccontextmanager
async def response_held(playground: Playground, operation: str) -> AsyncIterator[None]:
    """Run an operation in a new tab. Hold its response inside this context, and wait for it at the end."""
    name = operation.split()[1]
    answered, released = asyncio.Event(), asyncio.Event()

    async def hold(route: Route) -> None:
        if name not in (route.request.post_data or ""):
            return await route.fallback()
        response = await route.fetch()
        answered.set()
        await released.wait()
        return await route.fulfill(response=response)

    await playground.page.route("**", hold)
    await new_tab(playground, operation)
    await answered.wait()
    yield
    async with playground.page.expect_request_finished(lambda each: name in (each.post_data or "")):
        released.set()
    await playground.page.unroute("**", hold)


async def test_a_late_response_does_not_replace_newer_state(postgres_demo_url: str) -> None:
    environment = {"MAINSHEET_DATABASE_URL": postgres_demo_url, "MAINSHEET_REPLICA_URLS": postgres_demo_url}
    with serving("--demo", environment=environment) as server:
        async with opened(server.url) as playground:
            async with response_held(playground, CHANGE):
                await sent(playground, SECOND, "riggers")
                while_one_is_running = await sent(playground, FIND, "totalCount")
            after_both = await sent(playground, FIND, "totalCount")
            await sent(playground, THIRD, "sailors")
            after_the_third = await sent(playground, FIND, "totalCount")

    assert [while_one_is_running, after_both] == [None, None]
    assert after_the_third
