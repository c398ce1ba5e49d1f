"""Each panel, dialog and menu of the page, shown in turn."""

import json
from collections.abc import AsyncIterator, Callable
from typing import NamedTuple
from urllib.parse import urlencode

from playwright.async_api import Locator, expect

from tests.playground.browser import Playground
from tests.playground.conftest import Demo
from tests.playground.test_changes import ADMIN, UPDATE, begin, history, replace, state

PANELS = ("Documentation Explorer", "GraphiQL Explorer", "Activity", "Table", "Cost", "History", "Examples")
ITEMS = [
    {"name": "Jobs/All of my jobs", "query": "query Mine { me { jobs { totalCount } } }", "variables": ""},
    {"name": "Jobs/Rename a job", "query": "mutation Rename { __typename }", "variables": ""},
    {"name": "What happens now", "query": "subscription Now { events { cursor } }", "variables": ""},
    {"name": "Unfinished", "query": "{", "variables": ""},
]
KEEP = "items => localStorage.setItem('/graphql mainsheet:collection', JSON.stringify(items))"


class View(NamedTuple):
    name: str
    part: str = "html"
    """The part that is shown: an open menu hides the rest from screen readers."""


Views = Callable[[Playground, Demo], AsyncIterator[View]]


async def views_of_demo(playground: Playground, demo: Demo) -> AsyncIterator[View]:
    page = playground.page
    await page.evaluate(KEEP, ITEMS)
    await playground.open(page.url)
    await playground.run("query MyJobs")
    await expect(playground.response).to_contain_text('"data"')
    for name in PANELS:
        await page.get_by_role("button", name=f"Show {name}").click()
        await expect(page.locator(".graphiql-plugin")).not_to_contain_text("Loading …")
        if name == "Cost":
            await page.get_by_role("button", name="Execute query").click()
            await expect(page.get_by_role("region", name=name)).to_contain_text("Level 2")
        yield View(name)
    panel = await playground.panel("Collection")
    await panel.get_by_text("Import a curl command").click()
    yield View("Collection")
    async for view in _changes(playground, demo):
        yield view
    async for view in _dialogs(playground):
        yield view
    async for view in _menus(playground):
        yield view


async def _changes(playground: Playground, demo: Demo) -> AsyncIterator[View]:
    panel = await history(playground, "orders-ingest")
    await expect(panel.locator(".differences figure").first).to_be_visible()
    yield View("Version History")
    for number, action in ((3, "Activate"), (3, "Create a draft from it"), (6, "Publish"), (6, "Discard")):
        dialog = await begin(panel, number, action)
        yield View(action)
        await dialog.get_by_role("button", name="Cancel").click()
        await expect(dialog).to_have_count(0)
    dialog = await begin(panel, 6, "Edit")
    yield View("Edit")
    job = await state(demo, "orders-ingest")
    await replace(dialog, f'"maxRetries": {job["draft"]["maxRetries"]}', '"maxRetries": 9')
    await demo.ask(ADMIN, UPDATE, {"input": {"jobId": job["id"], "changes": {"timeoutSeconds": 4321}}})
    await dialog.get_by_role("button", name="Save").click()
    await expect(dialog.get_by_role("region", name="Conflict")).to_be_visible()
    yield View("Conflict")
    playground.page.once("dialog", lambda question: question.accept())
    await dialog.get_by_role("button", name="Cancel").click()
    await expect(dialog).to_have_count(0)


async def _dialogs(playground: Playground) -> AsyncIterator[View]:
    page = playground.page
    for opener in ("Open settings dialog", "Open short keys dialog"):
        await page.get_by_role("button", name=opener).click()
        await expect(page.get_by_role("dialog")).to_be_visible()
        yield View(opener)
        await _close(page.get_by_role("dialog"))
    for kind in ("Link", "curl", "TypeScript", "Python"):
        await _choose(playground, "Share this operation", kind)
        yield View(f"Share as {kind}")
        await _close(page.get_by_role("dialog"))
    await _choose(playground, "You are", "Another token …")
    yield View("Token")
    await _close(page.get_by_role("dialog"))


async def _menus(playground: Playground) -> AsyncIterator[View]:
    page = playground.page
    for opener in ("You are", "Share this operation", "Execute query"):
        if opener == "Execute query":
            await playground.choose("LifeOfAVersion")
            await expect(page.get_by_role("button", name=opener)).to_have_attribute("aria-haspopup", "menu")
        await page.get_by_role("button", name=opener).focus()
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("menuitem").first).to_be_focused()
        yield View(f"Menu {opener}", "[role=menu]")
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("menu")).to_have_count(0)


async def views_without_demo(playground: Playground, demo: Demo) -> AsyncIterator[View]:
    """What the page shows to people who need a token, and before it changes their data."""
    page = playground.page
    await expect(page.locator(".notice")).to_contain_text("The server needs a token")
    yield View("No token")
    await playground.paste_token("wrong")
    await expect(page.get_by_role("dialog").get_by_role("alert")).to_be_visible()
    yield View("Wrong token")
    await page.get_by_label("Token", exact=True).fill(demo.tokens[ADMIN])
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await playground.choose("LifeOfAVersion")
    await playground.run_from_menu("CreateDraft")
    await expect(page.get_by_role("dialog")).to_contain_text("Choose the objects")
    await expect(page.get_by_label("Job", exact=True)).to_contain_text("orders-ingest")
    yield View("Choose")
    await page.get_by_label("Job", exact=True).select_option("orders-ingest — Orders ingest")
    await page.get_by_role("button", name="Run it").click()
    await expect(page.get_by_role("dialog")).to_contain_text("on real data?")
    yield View("Confirm")
    await page.get_by_role("button", name="Cancel").click()
    await expect(page.locator(".notice")).to_contain_text("Nothing was sent.")
    yield View("Nothing was sent")
    hash_ = urlencode({"query": "query Wrong { nonsense }", "variables": json.dumps({"x": 1})})
    await page.evaluate("hash => (location.hash = hash)", hash_)
    await expect(page.get_by_role("tab", name="Wrong")).to_be_visible()
    await expect(page.locator(".graphiql-query-editor .squiggly-error").first).to_be_visible()
    await page.get_by_role("button", name="Execute query").click()
    await expect(playground.response).to_contain_text('"errors"')
    yield View("An error")
    playground.forgive("401")
    playground.forgive("400")


async def _choose(playground: Playground, opener: str, item: str) -> None:
    page = playground.page
    await page.get_by_role("button", name=opener).click()
    await page.get_by_role("menuitem", name=item).click()
    await expect(page.get_by_role("dialog")).to_be_visible()


async def _close(dialog: Locator) -> None:
    await dialog.page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)
