"""`python -m examples.plane.account` makes a service account for the plane, and prints a new token of it.

The environment variable ADMIN_TOKEN has the token of an administrator, with all scopes. `--url` is the API's address.
"""

import argparse
import asyncio
import os

import aiohttp

from examples.plane.client import Client

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
            found = [(await ask(ACCOUNT))["createServiceAccount"]["serviceAccount"]["id"]]
        secret: str = (await ask(ISSUE, id=found[0]))["createAccessToken"]["secret"]
        return secret


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m examples.plane.account", description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8000/graphql")
    print(asyncio.run(make(parser.parse_args().url, os.environ["ADMIN_TOKEN"])))  # noqa: T201 the output


if __name__ == "__main__":
    main()
