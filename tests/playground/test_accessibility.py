"""The page without a mouse, for screen readers, on small screens and enlarged."""

import re
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.playground.browser import SCHEMES, Playground, opened
from tests.playground.conftest import Demo
from tests.playground.test_changes import history
from tests.playground.test_page import ADA
from tests.playground.test_panels import new_tab
from tests.playground.views import Views, views_of_demo, views_without_demo

AXE = Path(__file__).parents[2] / "playground/node_modules/axe-core/axe.min.js"
PANELS = (
    "GraphiQL Explorer",
    "Activity",
    "Table",
    "Cost",
    "Collection",
    "History",
    "Documentation Explorer",
    "Examples",
)
FOCUSED = """() => document.activeElement === document.body ? null
  : document.activeElement.ariaLabel ?? document.activeElement.textContent.trim()"""
CONTROLS = (
    *(
        "Show Documentation Explorer",
        "Hide Examples",
        "Show Version History",
        "Show Activity",
        "Show Table",
        "Show Cost",
        "Show Collection",
    ),
    *("Re-fetch GraphQL schema", "Open short keys dialog", "Open settings dialog", "One job in detail", "MyJobs"),
    *("New tab", "You are", "Execute query", "Prettify query", "Share this operation", "Download the response"),
    *("Download the schema", "#\N{NO-BREAK SPACE}My", "Variables", "Headers", "Result Window"),
)
FIND = """async part => (await axe.run(part, { resultTypes: ['violations'] })).violations.flatMap(
  ({ id, nodes }) => nodes.map(({ target, any, all, none }) =>
    `${id} ${target} ${[...any, ...all, ...none].map(each => each.message)}`))"""


async def check(playground: Playground, where: str, part: str = "html") -> None:
    found: list[str] = await playground.page.evaluate(FIND, part)
    assert found == [], where


async def test_axe_finds_nothing(demo: Demo) -> None:
    await axe_finds_nothing(demo, views_of_demo)


async def test_axe_finds_nothing_outside_the_demo(no_demo: Demo) -> None:
    await axe_finds_nothing(no_demo, views_without_demo)


async def axe_finds_nothing(demo: Demo, views: Views) -> None:
    async with opened(demo.url, reduced_motion="reduce") as playground:
        async for name, part in views(playground, demo):
            await playground.page.evaluate(AXE.read_text())
            for scheme in SCHEMES:
                await playground.change_scheme(scheme)
                await check(playground, f"{name}, {scheme}", part)


async def test_arrow_keys_move_among_tabs_and_delete_closes_one(playground: Playground) -> None:
    page = playground.page
    await page.get_by_role("tab", name="MyJobs").focus()
    for key, name in (
        ("ArrowRight", "OneJob"),
        ("End", "ErrorsAsData"),
        ("ArrowRight", "MyJobs"),
        ("ArrowLeft", "ErrorsAsData"),
    ):
        await page.keyboard.press(key)
        await expect(page.get_by_role("tab", name=name)).to_be_focused()
        await expect(page.get_by_role("tab", selected=True)).to_have_text(name)

    await page.keyboard.press("Delete")

    await expect(page.get_by_role("tab", name="ErrorsAsData")).to_have_count(0)
    await expect(page.get_by_role("tab", name="TeamAccess")).to_be_focused()


async def test_all_controls_are_reached_by_tab(playground: Playground) -> None:
    page = playground.page
    await page.locator(".graphiql-query-editor textarea").focus()
    await page.keyboard.press("Control+M")  # Tab leaves the editors from now on
    await page.evaluate("(document.body.tabIndex = -1, document.body.focus())")
    reached: list[str] = []
    for _ in range(100):
        await page.keyboard.press("Tab")
        name = await page.evaluate(FOCUSED)
        if name is None:
            break
        reached.append(name)

    assert "" not in reached
    for name in CONTROLS:
        assert any(name in each for each in reached), name


async def test_the_explorer_of_fields_works_by_the_keyboard(playground: Playground) -> None:
    await new_tab(playground, "query Small { me { actor { id } } }")
    await playground.page.get_by_role("button", name="Show GraphiQL Explorer").click()
    field = playground.page.get_by_role("checkbox", name="webhooks", exact=True).first
    await field.focus()
    await expect(field).not_to_be_checked()

    await playground.page.keyboard.press("Space")

    await expect(field).to_be_checked()
    await expect(playground.page.locator(".graphiql-query-editor .view-lines")).to_contain_text("webhooks")


async def test_the_chosen_member_is_read_out(playground: Playground) -> None:
    await expect(playground.page.get_by_role("button", name=f"You are {ADA}")).to_be_visible()
    await playground.page.set_viewport_size({"width": 390, "height": 844})
    await expect(playground.page.get_by_role("button", name=f"You are {ADA}")).to_be_visible()


@pytest.mark.parametrize(("width", "height"), [(640, 400), (320, 568)], ids=["200 %", "a small phone"])
async def test_an_enlarged_page_can_be_read_and_run(playground: Playground, width: int, height: int) -> None:
    page = playground.page
    await page.set_viewport_size({"width": width, "height": height})
    panel = await history(playground, "orders-ingest")
    box = await page.locator(".graphiql-plugin").bounding_box()
    assert box
    assert box["height"] > height / 2
    await panel.get_by_role("button", name=re.compile(r"^v5\b")).click()
    await expect(panel.get_by_role("region", name="What differs in v5").locator("figure").first).to_be_visible()
    await page.get_by_role("button", name="Execute query").click()
    await expect(playground.response).to_contain_text('"data"')
    await expect(page.locator(".graphiql-response")).to_be_in_viewport(ratio=0.5)
    panel = await playground.panel("Activity")
    await expect(panel.get_by_role("heading", name="Activity")).to_be_in_viewport()
    await page.get_by_role("button", name="You are").click()
    await page.get_by_role("menuitem", name="Another token").click()
    box = await page.get_by_role("dialog").bounding_box()
    assert box
    assert box["width"] > width * 0.7

    root = "(({ scrollWidth, scrollHeight }) => [scrollWidth, scrollHeight])(document.documentElement)"
    assert await page.evaluate(root) == [width, height]
