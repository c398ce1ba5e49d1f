"""The server and a certified OpenID Connect issuer, each in a process: people and programs sign in as they would."""

import asyncio
import re
import secrets
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen
from typing import Any

import pytest
import yaml
from aiohttp import ClientSession, CookieJar
from yarl import URL

from tests.node import NODE, workplace
from tests.server.commands import Serving, mainsheet, serving

HERE = Path(__file__).parent / "oidc"
CALLBACK = "https://frontend.acme.example/signed-in"
WHO = """{ me {
  actor { __typename ... on Member { name email organizationRole managedBy } ... on ServiceAccount { name } }
  teams { nodes { name } }
} }"""
MAKE = """mutation {
  createTeam(input: { name: "etl" }) { team { id } }
  createServiceAccount(input: { name: "plane" }) { serviceAccount { id } }
}"""


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = asyncio.run(workplace(HERE, tmp_path_factory.mktemp("oidc") / "oidc"))
    with Popen([NODE, "issuer.mjs"], cwd=folder, stdout=PIPE, stderr=DEVNULL, text=True) as process:
        assert process.stdout
        yield process.stdout.readline().strip()
        process.kill()


@pytest.fixture
async def http() -> AsyncIterator[ClientSession]:
    async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as session:
        yield session


@contextmanager
def server(folder: Path, issuers: Sequence[Mapping[str, Any]]) -> Iterator[Serving]:
    """A server with the database in this folder, and with these issuers."""
    (folder / "oidc.yaml").write_text(yaml.safe_dump({"issuers": list(issuers)}))
    settings = {"MAINSHEET_OIDC_FILE": str(folder / "oidc.yaml")} if issuers else {}
    with serving("--database-url", url(folder), environment=settings) as running:
        yield running


def url(folder: Path) -> str:
    return f"sqlite:///{folder / 'acme.sqlite3'}"


async def query(http: ClientSession, server: Serving, token: str, document: str) -> tuple[int, Any]:
    headers = {"Authorization": f"Bearer {token}"}
    async with http.post(server.url, json={"query": document}, headers=headers) as response:
        return response.status, await response.json()


async def accepted(http: ClientSession, folder: Path, issuer: str) -> Mapping[str, Any]:
    """Make an organization with a team and a service account, and return how the issuer is accepted for it."""
    mainsheet("db", "upgrade", "--database-url", url(folder))
    made = mainsheet("init", "--organization", "acme", "--admin", "root@acme.example", "--database-url", url(folder))
    organization = re.search(r"OR\w{18}", made.stderr)
    assert organization
    with server(folder, []) as running:
        _, answer = await query(http, running, made.stdout.strip(), MAKE)
    team = answer["data"]["createTeam"]["team"]["id"]
    return {
        "issuer": issuer,
        "audience": "mainsheet",
        "organization": organization[0],
        "create_members": {"domains": ["acme.example"]},
        "groups": {"engineers": {"organization_role": "AUDITOR", "teams": {team: "CONTRIBUTOR"}}},
        "service_accounts": {"plane": answer["data"]["createServiceAccount"]["serviceAccount"]["id"]},
    }


async def token_of_person(http: ClientSession, issuer: str, name: str) -> str:
    """Sign in as a person would in a new browser, by the authorization code flow with PKCE (RFC 7636)."""
    http.cookie_jar.clear()
    verifier = secrets.token_urlsafe(48)
    challenge = urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    asked = {
        "client_id": "frontend",
        "response_type": "code",
        "redirect_uri": CALLBACK,
        "scope": "openid",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    url = URL(issuer) / "auth"
    response = await http.get(url.with_query(asked))
    for form in ({"prompt": "login", "login": name, "password": "any"}, {"prompt": "consent"}):
        response = await http.post(response.url, data=form, allow_redirects=False)
        while (location := response.headers.get("Location", "")) and not location.startswith(CALLBACK):
            response = await http.get(response.url.join(URL(location)), allow_redirects=False)
    code = URL(location).query["code"]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": verifier}
    response = await http.post(URL(issuer) / "token", data=form | {"client_id": "frontend"})
    return str((await response.json())["access_token"])


async def token_of_program(http: ClientSession, issuer: str) -> str:
    form = {"grant_type": "client_credentials", "scope": "jobs", "client_id": "plane"}
    response = await http.post(URL(issuer) / "token", data=form | {"client_secret": "the secret of the plane"})
    return str((await response.json())["access_token"])


async def test_people_and_programs_sign_in(http: ClientSession, issuer: str, tmp_path: Path) -> None:
    ada, eve = [await token_of_person(http, issuer, name) for name in ("ada", "eve")]
    plane = await token_of_program(http, issuer)
    entry = await accepted(http, tmp_path, issuer)
    with server(tmp_path, [entry]) as running:
        answers = [await query(http, running, token, WHO) for token in (ada, ada, plane)]
        of_eve, _ = await query(http, running, eve, WHO)
    with server(tmp_path, [{**entry, "jwks_url": "http://127.0.0.1:1/jwks"}]) as running:  # the issuer is away
        unverified, answer = await query(http, running, ada, WHO)

    person = {"__typename": "Member", "name": "Ada Lovelace", "email": "ada@acme.example"}
    person |= {"organizationRole": "AUDITOR", "managedBy": issuer}
    assert answers[:2] == [(200, {"data": {"me": {"actor": person, "teams": {"nodes": [{"name": "etl"}]}}}})] * 2
    program = {"__typename": "ServiceAccount", "name": "plane"}
    assert answers[2] == (200, {"data": {"me": {"actor": program, "teams": {"nodes": []}}}})
    assert (of_eve, unverified) == (401, 503)
    assert "issuer's keys can't be read" in answer["errors"][0]["message"]
