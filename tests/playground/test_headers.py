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


async def test_the_history_has_no_headers(playground: Playground, demo: Demo) -> None:
    token = demo.tokens[VIEWER]
    await write_headers(playground, {"Authorization": f"Bearer {token}"})
    await playground.run(FIRST)
    await expect(playground.response).to_contain_text('"displayName": "Priya Raman"')

    await expect(playground.page.get_by_role("region", name="Headers")).to_contain_text(token)
    lasting = await playground.page.evaluate("JSON.stringify({ ...localStorage })")
    assert "graphiql:queries" in lasting
    assert token not in lasting


async def test_headers_in_the_history_of_an_earlier_version_are_removed(playground: Playground) -> None:
    entry = {"query": "{ me { actor { id } } }", "headers": '{"Authorization": "Bearer mst_old"}'}
    await playground.page.evaluate("localStorage.clear()")
    await playground.page.evaluate(
        "text => localStorage.setItem('graphiql:queries', text)", json.dumps({"queries": [entry]})
    )
    await playground.page.reload()
    await playground.page.get_by_role("button", name="Show History").click()

    await expect(playground.page.get_by_role("region", name="History")).to_contain_text("{ me { actor { id } } }")
    assert "mst_old" not in await playground.page.evaluate("JSON.stringify({ ...localStorage })")
