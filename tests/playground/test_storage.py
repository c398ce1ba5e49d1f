"""The page works with whatever the browser has stored for it, and without any storage."""

import pytest
from playwright.async_api import expect

from tests.playground.browser import Playground
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
    await playground.page.evaluate("pair => { localStorage.clear(); localStorage.setItem(...pair) }", [key, text])
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
