"""Import of curl commands."""

import json
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.async_api import expect

from tests.node import NODE
from tests.playground.browser import Playground
from tests.playground.test_sharing import QUOTES, VARIABLES, shared, write

SOURCES = Path(__file__).parents[2] / "playground/src/collection"
WORDS = f"""
import {{ wordsOf }} from {json.dumps((SOURCES / "words.ts").as_uri())}
import {{ readFileSync }} from 'node:fs'
console.log(JSON.stringify(JSON.parse(readFileSync(0, 'utf8')).map(wordsOf)))
"""
CURL = f"""
import {{ readCurl }} from {json.dumps((SOURCES / "curl.ts").as_uri())}
import {{ readFileSync }} from 'node:fs'
console.log(JSON.stringify(JSON.parse(readFileSync(0, 'utf8')).map(readCurl)))
"""
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
SECRET_HEADERS = (
    "X-Api-Key",
    "Api-Key",
    "X-Auth-Token",
    "X-Amz-Security-Token",
    "X-CSRF-Token",
    "X-XSRF-TOKEN",
    "Proxy-Authorization",
    "Session-Id",
    "X-Client-Secret",
    "X-Password",
    "Cookie2",
    "Cf-Access-Jwt-Assertion",
)
SECRET_OPTIONS = (
    "-u",
    "-U",
    "--proxy-user",
    "-b",
    "-E",
    "--oauth2-bearer",
    "--pass",
    "--proxy-key",
    "--tlspassword",
)
OPTIONS = (
    "-T",
    "-c",
    "-K",
    "-x",
    "-o",
    "-z",
    "-Q",
    "--cookie-jar",
    "--config",
    "--unix-socket",
    "--capath",
    "--proxy-cacert",
    "--netrc-file",
    "--doh-url",
    "--preproxy",
    "--proxy-header",
    "--stderr",
    "--trace-ascii",
    "--aws-sigv4",
    "--connect-to",
)
ADDRESSES = ("https://x.example/graphql?", "localhost:8000?", "me@[::1]:8000/graphql?")


def in_node(script: str, texts: list[str]) -> Any:
    arguments = [str(NODE), "--input-type=module", "-e", script]
    node = subprocess.run(arguments, input=json.dumps(texts).encode(), capture_output=True, check=True)
    return json.loads(node.stdout)


@settings(max_examples=8)
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

    found = in_node(WORDS, quoted + each_word)

    assert found == lines + [[word] for words in lines for word in words]


def test_a_code_point_beyond_unicode_is_replaced() -> None:
    assert in_node(WORDS, [r"$'\U0010FFFF'", r"$'\U00110000\UFFFFFFFF.'"]) == [["\U0010ffff"], ["\ufffd\ufffd."]]


def test_secrets_of_a_curl_command_are_not_taken() -> None:
    body = f"-d {shlex.quote(BODY)}"
    headers = [f"curl x.example/ -H '{name}: secret' -H 'Idempotency-Key: once' {body}" for name in SECRET_HEADERS]
    options = [f"curl x.example/ {name} me:secret -H 'Idempotency-Key: once' {body}" for name in SECRET_OPTIONS]

    found = in_node(CURL, headers + options)

    assert [json.loads(each["headers"]) for each in found] == [{"Idempotency-Key": "once"}] * len(found)
    assert [each["hasCredentials"] for each in found] == [True] * len(found)


def test_the_address_of_a_curl_command_is_not_a_value_of_an_option() -> None:
    query = "query=%7Bme%7D"
    values = ["https://other.example/?query=other", "some/file"]
    commands = [
        f"curl {before} '{address}{query}' {after}"
        for address in ADDRESSES
        for option in OPTIONS
        for value in values
        for before, after in ((f"{option} {value}", ""), ("-s", f"{option} {value}"))
    ]
    unknown = [f"curl {address}{query} --of-a-newer-curl ./some/file" for address in ADDRESSES]

    found = in_node(CURL, commands + unknown)

    assert [each["query"] for each in found] == ["{me}"] * len(found)


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
        assert ("credentials were not taken" in await status.inner_text()) == has_token
        headers = await page.evaluate("JSON.stringify({ ...localStorage, ...sessionStorage })")
        assert "secret" not in headers
    await page.get_by_role("tab", name="One", exact=True).first.click()
    await page.get_by_role("button", name="Headers", exact=True).click()
    await expect(page.get_by_role("region", name="Headers")).to_contain_text(re.compile(r'"Idempotency-Key":\s"a:b"'))

    for command, problem in REFUSED.items():
        await read(command)
        await expect(panel.get_by_role("alert")).to_contain_text(problem)
    await expect(tabs).to_have_count(count + 1 + len(READ))
