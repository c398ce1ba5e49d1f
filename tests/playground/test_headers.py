"""Headers that the user writes into the editor."""

import json

import pytest
from playwright.async_api import expect

from tests.playground.browser import Playground
from tests.playground.conftest import Demo
from tests.playground.test_failures import alert

VIEWER = "viewer@harbor.example"
FIRST = "query MyJobs"


async def write_headers(playground: Playground, headers: dict[str, str]) -> None:
    await playground.page.get_by_role("button", name="Headers", exact=True).click()
    editor = playground.page.locator(".graphiql-editor-tool .graphiql-editor:not(.hidden)")
    await editor.locator(".view-line").first.click(position={"x": 5, "y": 5})
    await playground.page.keyboard.press("Control+A")
    await playground.page.keyboard.insert_text(json.dumps(headers))


async def test_a_header_replaces_that_of_the_page_whatever_its_case(playground: Playground, demo: Demo) -> None:
    await write_headers(
        playground,
        {
            "authorization": f"Bearer {demo.tokens[VIEWER]}",
            "content-type": "application/json",
            "ACCEPT": "application/json",
        },
    )
    await playground.run(FIRST)

    await expect(playground.response).to_contain_text('"displayName": "Priya Raman"')


@pytest.mark.parametrize(("name", "value"), [("X Y", "1"), ("X-Y", "\u201c1\u201d"), ("X-Y", "1\n2")])
async def test_an_invalid_header_is_named(playground: Playground, name: str, value: str) -> None:
    await write_headers(playground, {name: value})
    await playground.run(FIRST)

    await expect(alert(playground)).to_contain_text(f'Nothing was sent: the header "{name}" isn\'t valid.')
