"""Operations as links and as code."""

import asyncio
import json
import os
import re
from urllib.parse import urlencode

import pytest
from playwright.async_api import expect

from tests.playground.browser import Playground, opened
from tests.playground.conftest import Demo

ADMIN = "admin@harbor.example"
# GraphiQL stores its tabs with a delay.
STORED = "title => (localStorage['/graphql graphiql:tabState'] ?? '').includes(title)"
QUOTES = """query Quotes($search: String!) {
  jobs(limit: 3, filter: { search: $search }) { totalCount nodes { jobKey } }
}

query Others { me { actor { displayName } } }"""
VARIABLES = json.dumps({"search": 'it\'s a "quote" `${x}` \\ é'})
ANSWER = {"data": {"jobs": {"totalCount": 0, "nodes": []}}}


async def write(playground: Playground, query: str, variables: str) -> None:
    """Open a tab by a link: typing would complete brackets."""
    hash_ = urlencode({"query": query, "variables": variables, "operation": "Quotes"})
    await playground.page.evaluate("hash => (location.hash = hash)", hash_)
    await expect(playground.page.get_by_role("tab", name="Quotes")).to_be_visible()
    await expect(playground.variables).to_contain_text("search")


async def shared(playground: Playground, kind: str) -> str:
    await playground.page.get_by_role("button", name="Share this operation").click()
    await playground.page.get_by_role("menuitem", name=kind).click()
    return await playground.page.get_by_role("textbox", name=kind, exact=True).input_value()


async def run(demo: Demo, *command: str, code: str) -> str:
    env = os.environ | {"MAINSHEET_TOKEN": demo.tokens[ADMIN]}
    process = await asyncio.create_subprocess_exec(*command, code, env=env, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    return output.decode()


async def test_a_link_opens_the_operation_in_a_new_tab(playground: Playground, demo: Demo) -> None:
    panel = await playground.panel("Version History")
    await panel.get_by_label("Job", exact=True).select_option("orders-ingest")
    await write(playground, QUOTES, VARIABLES)
    link = await shared(playground, "Link")
    assert not any(token in link for token in demo.tokens.values())

    async with opened(demo.url) as other:
        await other.page.goto("about:blank")
        await other.open(link)

        await expect(other.page.get_by_role("tab", name="Quotes")).to_be_visible()
        await expect(other.page.get_by_role("tab", name="MyJobs")).to_be_visible()
        await expect(other.variables).to_contain_text("it's a")
        await expect(other.response).not_to_contain_text("data")
        history = other.page.get_by_role("region", name="Version History")
        await expect(history.get_by_label("Job", exact=True)).to_have_value("orders-ingest")
        await other.page.wait_for_function(STORED, arg="Quotes")
        await other.page.reload()
        await expect(other.page.get_by_role("tab", name="Quotes")).to_have_count(1)


async def test_a_link_pasted_into_the_open_page_works(playground: Playground, demo: Demo) -> None:
    await playground.page.evaluate("location.hash = 'query=query+Pasted+{+me+{+id+}+}&panel=Cost&job=x'")

    await expect(playground.page.get_by_role("tab", name="Pasted")).to_be_visible()
    await expect(playground.page.get_by_role("region", name="Cost")).to_be_visible()


@pytest.mark.parametrize("link", ["query=%7B", "panel=Nonsense", "job=%3Cscript%3E", "token=mst_x", "%E0%A4%A"])
async def test_an_odd_link_breaks_nothing(demo: Demo, link: str) -> None:
    async with opened(f"{demo.url}#{link}") as playground:
        await playground.choose("MyJobs")
        await playground.run("query MyJobs")

        await expect(playground.response).to_contain_text('"totalCount"')


async def test_curl_runs_the_operation(playground: Playground, demo: Demo) -> None:
    await write(playground, QUOTES, VARIABLES)

    code = await shared(playground, "curl")

    assert json.loads(await run(demo, "sh", "-c", code=code)) == ANSWER


async def test_code_has_variables_with_comments_and_trailing_commas(playground: Playground) -> None:
    await write(playground, QUOTES, '// what to find\n{ "search": "sales", }')

    assert '{"search":"sales"}' in await shared(playground, "curl")


async def test_python_runs_the_operation(playground: Playground, demo: Demo) -> None:
    await write(playground, QUOTES, VARIABLES)

    code = await shared(playground, "Python")

    compile(code, "shared.py", "exec")
    assert "os.environ['MAINSHEET_TOKEN']" in code
    assert demo.tokens[ADMIN] not in code
    (variables,) = re.findall(r"variable_values=(.*),\n", code)
    assert eval(variables) == json.loads(VARIABLES)


async def test_typescript_has_the_operation_for_the_code_generator(playground: Playground, demo: Demo) -> None:
    await write(playground, QUOTES, VARIABLES)

    code = await shared(playground, "TypeScript")

    assert f"graphql(`\n{QUOTES}\n`)" in code
    assert "process.env.MAINSHEET_TOKEN" in code
    assert 'operationName: "Quotes"' in code


async def test_code_can_be_copied(playground: Playground) -> None:
    await playground.page.context.grant_permissions(["clipboard-read"])
    await write(playground, QUOTES, VARIABLES)
    code = await shared(playground, "curl")

    await playground.page.get_by_role("button", name="Copy", exact=True).click()

    await expect(playground.page.get_by_role("status").filter(has_text="Copied.")).to_be_visible()
    assert await playground.page.evaluate("navigator.clipboard.readText()") == code
