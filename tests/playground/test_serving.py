"""Responses of the playground's routes."""

import gzip
import json
import re
from pathlib import Path

import pytest
from aiohttp import ClientSession
from yarl import URL

from mainsheet.server.http.playground import Playground
from tests.playground.conftest import Demo, served

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
OWN_PAGE = {"X-Mainsheet-Playground": "1", "Sec-Fetch-Site": "same-origin"}
ROOT = Path(__file__).parents[2]
LOCKED = ("playground", "benchmarks/peers", "tests/clients", "tests/server/audits")


async def page_of(demo: Demo) -> tuple[str, str]:
    async with demo.http.get("/graphql", headers=HTML) as response:
        return await response.text(), response.headers["Content-Security-Policy"]


def script_of(html: str) -> str:
    path: str
    (path,) = re.findall(r'<script [^>]*src="\.(/playground/assets/[^"]+)"', html)
    return path


async def test_the_page_has_a_strict_content_security_policy(demo: Demo) -> None:
    _, policy = await page_of(demo)

    directives = dict(part.split(" ", 1) for part in policy.split("; "))
    assert directives["default-src"] == "'none'"
    assert directives["script-src"] == directives["connect-src"] == directives["worker-src"] == "'self'"
    assert directives["frame-ancestors"] == directives["base-uri"] == directives["form-action"] == "'none'"


async def test_each_response_has_its_own_nonce(demo: Demo) -> None:
    (html, policy), (other, _) = await page_of(demo), await page_of(demo)

    (nonce,) = re.findall(r"'nonce-([^']+)'", policy)
    assert f'nonce="{nonce}"' in html
    assert nonce not in other
    assert "{nonce}" not in html


async def test_the_page_needs_and_contains_no_token(demo: Demo) -> None:
    html, _ = await page_of(demo)

    assert not any(token in html for token in demo.tokens.values())


async def test_files_may_be_cached_for_a_year(demo: Demo) -> None:
    html, _ = await page_of(demo)

    async with demo.http.get(script_of(html)) as response:
        await response.read()

    assert response.status == 200
    assert response.content_type == "text/javascript"
    assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert response.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [("br, gzip", "br"), ("gzip", "gzip"), ("identity", None), ("br;q=0, GZIP", "gzip"), ("identity, *;q=0", None)],
)
async def test_files_are_sent_in_the_smallest_accepted_encoding(
    demo: Demo, page: Playground, accepted: str, encoding: str | None
) -> None:
    html, _ = await page_of(demo)
    path = script_of(html)

    async with ClientSession(URL(demo.url).origin(), auto_decompress=False) as http:
        response = await http.get(path, headers={"Accept-Encoding": accepted})
        body = await response.read()

    assert response.headers.get("Content-Encoding") == encoding
    assert response.headers["Vary"] == "Accept-Encoding"
    file = page.assets[path.rpartition("/")[2]]
    assert body == file.with_name(file.name + {"br": ".br", "gzip": ".gz", None: ""}[encoding]).read_bytes()


def test_compressed_files_have_the_same_content(page: Playground) -> None:
    scripts = [path for path in page.assets.values() if path.with_name(path.name + ".gz").exists()]

    assert len(scripts) > 5
    for path in scripts:
        assert gzip.decompress(path.with_name(path.name + ".gz").read_bytes()) == path.read_bytes()


@pytest.mark.parametrize("name", ["nothing.js", "..%2f..%2findex.html", "%2e%2e/%2e%2e/index.html"])
async def test_only_files_of_the_page_are_served(demo: Demo, name: str) -> None:
    response = await demo.http.get(f"/playground/assets/{name}")

    assert response.status == 404


async def test_the_demo_gives_its_page_the_members(demo: Demo) -> None:
    response = await demo.http.get("/playground/members", headers=OWN_PAGE)

    members = await response.json()
    assert {member["email"]: member["token"] for member in members} == demo.tokens
    assert members[0]["name"] == "Ada Lindqvist"
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        OWN_PAGE | {"Sec-Fetch-Site": "cross-site"},
        OWN_PAGE | {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "same-origin"},
        OWN_PAGE | {"Host": "rebound.example"},
        OWN_PAGE | {"Host": "127.0.0.1.rebound.example:8000"},
        OWN_PAGE | {"Host": "localhost:port"},
    ],
)
async def test_other_pages_cannot_read_the_demos_tokens(demo: Demo, headers: dict[str, str]) -> None:
    response = await demo.http.get("/playground/members", headers=headers)

    assert response.status == 403
    assert "mst_" not in await response.text()


@pytest.mark.parametrize("host", ["localhost:8000", "[::1]:8000", "127.0.0.1"])
async def test_the_demo_accepts_several_host_names(demo: Demo, host: str) -> None:
    response = await demo.http.get("/playground/members", headers=OWN_PAGE | {"Host": host})

    assert response.status == 200


async def test_outside_the_demo_there_are_no_members_to_choose(no_demo: Demo) -> None:
    response = await no_demo.http.get("/playground/members", headers=OWN_PAGE)

    assert await response.json() == []


async def test_without_a_built_page_the_api_works(sqlite_demo: Path, tmp_path: Path) -> None:
    assert Playground.built(tmp_path) is None

    async with served(sqlite_demo, tmp_path, None, is_demo=True) as bare:
        async with bare.http.get("/graphql", headers=HTML) as response:
            text = await response.text()
        answer = await bare.ask("viewer@harbor.example", "{ me { actor { displayName } } }")

    assert "This is a GraphQL endpoint" in text
    assert answer == {"data": {"me": {"actor": {"displayName": "Priya Raman"}}}}


@pytest.mark.parametrize("folder", LOCKED)
def test_npm_packages_are_locked_by_hash_without_address(folder: str) -> None:
    packages = json.loads((ROOT / folder / "package-lock.json").read_text())["packages"]
    bundled = {name for name, package in packages.items() if package.get("inBundle")}

    assert len(packages) >= 3
    assert {name for name, package in packages.items() if "resolved" in package} == set()
    assert {name for name, package in packages.items() if "integrity" not in package} - bundled == {""}
