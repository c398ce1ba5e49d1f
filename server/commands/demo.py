"""Prints the demo's members, each with a new token and a curl command."""

import json
import shlex
from collections.abc import Iterator

import click

from mainsheet.demo import DEMO_MEMBERS
from mainsheet.demo.people import HARBOR, LAGOON
from mainsheet.models.database import Database
from mainsheet.server.auth.tokens import DEMO_LIFETIME, renew_demo
from mainsheet.server.http.playground import Member

QUERY = "{ me { actor { displayName } organization { name } } }"
NAMES = {person.email: person.name for person in (*HARBOR, *LAGOON)}


async def introduce(database: Database, url: str) -> list[Member]:
    """Revoke the tokens of earlier starts, print new ones, and return them with their members for the playground."""
    secrets = await renew_demo(database, DEMO_MEMBERS)
    click.echo(f"Demo members; their tokens end in {DEMO_LIFETIME.days} days, or at the next start:\n")
    for email, secret in secrets.items():
        for line in _member(email, secret, url):
            click.echo(line)
    return [_presented(email, secret) for email, secret in secrets.items()]


def _presented(email: str, secret: str) -> Member:
    return {"email": email, "name": NAMES[email], "role": DEMO_MEMBERS[email], "token": secret}


def _member(email: str, secret: str, url: str) -> Iterator[str]:
    yield f"{email}  ({DEMO_MEMBERS[email]})"
    yield f"  token  {secret}"
    yield f"  try    {curl(url, secret)}\n"


def curl(url: str, secret: str) -> str:
    """Return a curl command, quoted for a POSIX shell."""
    words = ["curl", "-s", "-g", url]
    words += ["-H", f"Authorization: Bearer {secret}", "-H", "Content-Type: application/json"]
    words += ["-d", json.dumps({"query": QUERY})]
    return shlex.join(words)
