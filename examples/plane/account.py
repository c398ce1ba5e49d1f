"""`python -m examples.plane.account` makes a service account for the plane, and prints a new token of it.

The environment variable ADMIN_TOKEN has the token of an administrator, with all scopes, MAINSHEET_URL the address of
the API.
"""

import argparse
import asyncio
import os
import sys
from typing import Any

import aiohttp

from examples.plane.client import URL, Client, Refused

ACCOUNT = """
mutation PlaneAccount {
  createServiceAccount(input: {name: "Execution plane", organizationRole: ADMIN, idempotencyKey: "execution-plane"}) {
    serviceAccount { id }
    userErrors { message }
  }
}
"""
FIND = "query PlaneAccounts { serviceAccounts(limit: 100) { nodes { id displayName } } }"
ISSUE = """
mutation PlaneToken($id: ID!) {
  createAccessToken(input: {name: "Execution plane", actorId: $id, scopes: [READ, RUNS]}) {
    secret
    userErrors { message }
  }
}
"""


async def make(url: str, token: str) -> str:
    """Return a token that may read, and claim and report runs. Its account may run every job of the organization."""
    async with aiohttp.ClientSession() as http:
        ask = Client(http, url, token)
        accounts = (await ask(FIND))["serviceAccounts"]["nodes"]
        found = [each["id"] for each in accounts if each["displayName"] == "Execution plane"]
        if not found:
            found = [_done((await ask(ACCOUNT))["createServiceAccount"])["serviceAccount"]["id"]]
        secret: str = _done((await ask(ISSUE, id=found[0]))["createAccessToken"])["secret"]
        return secret


def _done(payload: dict[str, Any]) -> dict[str, Any]:
    if payload["userErrors"]:
        raise Refused("; ".join(each["message"] for each in payload["userErrors"]))
    return payload


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m examples.plane.account", description=__doc__)
    parser.add_argument("--url", default=URL, help="the address of the API")
    given = parser.parse_args()
    if not (token := os.environ.get("ADMIN_TOKEN")):
        parser.error("Set ADMIN_TOKEN to the token of an administrator.")
    try:
        print(asyncio.run(make(given.url, token)))  # noqa: T201 the output
    except Refused as refused:
        sys.exit(f"The server refused an operation: {refused}")


if __name__ == "__main__":
    main()
