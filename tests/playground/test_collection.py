"""Operations that the page keeps under names, and operations of curl commands."""

import json
import re
import shlex
import subprocess
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.async_api import Dialog, Locator, expect

from tests.node import NODE
from tests.playground.browser import Playground
from tests.playground.conftest import Demo
from tests.playground.test_sharing import QUOTES, VARIABLES, shared, write

SOURCES = Path(__file__).parents[2] / "playground/src/collection"
WORDS = f"""
import {{ wordsOf }} from {json.dumps((SOURCES / "words.ts").as_uri())}
import {{ readFileSync }} from 'node:fs'
console.log(JSON.stringify(JSON.parse(readFileSync(0, 'utf8')).map(wordsOf)))
"""
OTHER = {"name": "Jobs/Mine", "query": "{ me { id } }", "variables": ""}
ONE = "query One($id: ID!) { job(id: $id) { id } }"
BODY = json.dumps({"operationName": "One", "variables": {"id": "it's"}, "query": ONE})
CHROME = (
    "curl 'https://example.org/graphql' \\\n  -H 'accept: */*' \\\n  -H 'authorization: Bearer secret' \\\n"
    "  -b 'session=secret' \\\n  -H 'Idempotency-Key: a:b' \\\n  --data-raw $'"
    + json.dumps({"operationName": "One", "variables": {"id": "é"}, "query": ONE})
    .replace("\\", "\\\\")
    .replace("!", "\\u0021")
    + "'"
)
GET = f"curl -G https://x.example/graphql --data-urlencode {shlex.quote(f'query={ONE}')}"
READ = {
    CHROME: ('"id": "é"', True),
    f"$ curl -sSXPOST localhost:8000/graphql --json {shlex.quote(BODY)} | jq .data": ('"id": "it\'s"', False),
    f'{GET} -d \'variables={{"id":"%C3%A9"}}\'': ('"id": "é"', False),
    f"curl -u me:secret -H 'Content-Type: application/graphql' -d {shlex.quote(ONE)} https://x.example/graphql": (
        "",
        True,
    ),
}
REFUSED = {
    "wget https://x.example": 'must begin with "curl"',
    "curl 'https://x.example/graphql": "ends within quotes",
    "curl https://x.example/graphql -d @body.json": "reads its body from a file",
    "curl https://x.example/graphql -d '{^\"query^\"'": "isn't JSON",
    "curl https://x.example/graphql -d '[{}]'": "a batch of operations",
    "curl https://x.example/graphql": "no text of an operation",
}


@settings(max_examples=8, deadline=None)
@given(st.lists(st.lists(st.text(st.characters(exclude_characters="\0", codec="utf-8")), min_size=1), min_size=1))
def test_commands_are_split_as_bash_splits_them(lines: list[list[str]]) -> None:
    quoted = [shlex.join(words) for words in lines]
    escaped = subprocess.run(
        ["bash", "-c", 'printf "%q\\0" "$@"', "bash", *(word for words in lines for word in words)],
        capture_output=True,
        check=True,
        env={"LC_ALL": "C.UTF-8"},
    )
    each_word = escaped.stdout.decode().split("\0")[:-1]

    node = subprocess.run(
        [NODE, "--input-type=module", "-e", WORDS],
        input=json.dumps(quoted + each_word).encode(),
        capture_output=True,
        check=True,
    )

    assert json.loads(node.stdout) == lines + [[word] for words in lines for word in words]


async def test_operations_are_kept_under_names(playground: Playground, demo: Demo) -> None:
    page = playground.page
    await write(playground, QUOTES, VARIABLES)
    panel = await playground.panel("Collection")
    name = panel.get_by_label("Name of the operation")
    await expect(name).to_have_value("Quotes")
    await panel.get_by_role("button", name="Save").click()
    await expect(panel.get_by_role("status")).to_have_text("Quotes was saved.")
    await name.fill("Jobs/Search")
    await panel.get_by_role("button", name="Save").click()
    await expect(panel.get_by_role("list", name="Jobs")).to_contain_text("Search")
    page.once("dialog", lambda dialog: dialog.accept("Quotes 2"))
    await panel.get_by_role("button", name="Rename Quotes").click()

    await page.reload()
    await panel.get_by_role("button", name="Quotes 2 query").click()
    await expect(name).to_have_value("Quotes 2")
    await expect(panel.get_by_role("button", name="Replace")).to_be_visible()
    await expect(playground.variables).to_contain_text("it's a")
    page.once("dialog", Dialog.accept)
    await panel.get_by_role("button", name="Delete Quotes 2").click()
    await expect(panel.get_by_role("listitem")).to_have_count(1)

    async with page.expect_download() as download:
        await panel.get_by_role("button", name="Export as a file").click()
    file = json.loads((await (await download.value).path()).read_text())
    assert file["operations"] == [{"name": "Jobs/Search", "query": QUOTES, "variables": VARIABLES}]
    stored = await page.evaluate("JSON.stringify({ ...localStorage })")
    assert not any(token in stored for token in demo.tokens.values())

    await import_file(panel, {**file, "operations": [*file["operations"], OTHER, {**OTHER, "name": "Jobs/Search"}]})
    await expect(panel.get_by_role("status")).to_have_text(
        "2 operations were added, and 1 operation was already there."
    )
    await expect(panel.get_by_role("list", name="Jobs").get_by_role("listitem")).to_contain_text(
        ["Mine", "Search", "Search 2"]
    )
    wrong_files: tuple[object, ...] = ({**file, "operations": [{"name": "x"}]}, {"operations": []}, [])
    for wrong in wrong_files:
        await import_file(panel, wrong)
        await expect(panel.get_by_role("alert")).to_have_text(
            "The file is not a collection that this page has exported."
        )
    page.once("dialog", lambda dialog: dialog.accept("Jobs/Mine"))
    await panel.get_by_role("button", name="Rename Jobs/Search", exact=True).click()
    await expect(panel.get_by_role("alert")).to_contain_text("There is already an operation with the name Jobs/Mine")
    await import_file(panel, {**file, "operations": [{**OTHER, "name": "Huge", "query": "#" * 6_000_000}]})
    await expect(panel.get_by_role("alert")).to_contain_text("Nothing was saved: the browser's storage")
    await expect(panel.get_by_role("listitem")).to_have_count(3)


async def import_file(panel: Locator, content: object) -> None:
    async with panel.page.expect_file_chooser() as chooser:
        await panel.get_by_role("button", name="Import a file").click()
    await (await chooser.value).set_files(
        {"name": "file.json", "mimeType": "application/json", "buffer": json.dumps(content).encode()}
    )


async def test_a_curl_command_becomes_a_tab(playground: Playground) -> None:
    page = playground.page
    await write(playground, QUOTES, VARIABLES)
    code = await shared(playground, "curl")
    await page.keyboard.press("Escape")
    panel = await playground.panel("Collection")
    await panel.get_by_text("Import a curl command").click()
    area = panel.get_by_label("curl command")
    status = panel.get_by_role("status")
    tabs = page.get_by_role("tab")

    async def read(command: str) -> None:
        await area.fill(command)
        await panel.get_by_role("button", name="Open in a tab").click()

    count = await tabs.count()
    await read(code)
    await expect(tabs).to_have_count(count + 1)
    await expect(page.get_by_role("tab", selected=True)).to_have_text("Quotes")
    for expected in ("it's a", "${x}", "é"):
        await expect(playground.variables).to_contain_text(expected)
    for number, (command, (variables, has_token)) in enumerate(READ.items(), count + 2):
        await read(command)
        await expect(tabs).to_have_count(number)
        await expect(page.get_by_role("tab", selected=True)).to_have_text("One")
        await expect(playground.variables).to_contain_text(variables)
        await expect(status).to_contain_text("The operation was opened in a tab.")
        assert ("token was not taken" in await status.inner_text()) == has_token
        headers = await page.evaluate("JSON.stringify({ ...localStorage, ...sessionStorage })")
        assert "secret" not in headers
    await page.get_by_role("tab", name="One", exact=True).first.click()
    await page.get_by_role("button", name="Headers", exact=True).click()
    await expect(page.get_by_role("region", name="Headers")).to_contain_text(re.compile(r'"Idempotency-Key":\s"a:b"'))

    for command, problem in REFUSED.items():
        await read(command)
        await expect(panel.get_by_role("alert")).to_contain_text(problem)
    await expect(tabs).to_have_count(count + 1 + len(READ))
