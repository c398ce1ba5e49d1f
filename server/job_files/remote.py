"""A client of any Mainsheet server."""

import asyncio
import re
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any, Self

import aiohttp
from yarl import URL

ATTEMPTS = 10
LONGEST_WAIT_SECONDS = 60
BUSY = {429, 503}
NOT_FOUND = 404
FORM = "https://HOST or https://HOST/PATH/graphql"
VISIBLE = re.compile(r"[!-~]+")  # the characters of a token
WRONG_PATH = " The URL of a server under a path ends in /graphql."


class Failed(Exception):
    """The server can't be reached, or doesn't answer the request."""


class Remote:
    """Sends operations with a token. A server that is busy is asked again after the time that it names.

    Raises `Failed` for a URL or token that can't be one.
    """

    def __init__(self, url: str, token: str) -> None:
        address = _address(url)
        self.url = address if address.path.strip("/") else address / "graphql"
        if not token:
            raise Failed("The token is empty")
        if not VISIBLE.fullmatch(token):
            raise Failed("The token has a character that no token has, such as a line break at its end")
        self._token = token

    async def __aenter__(self) -> Self:
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "application/json"}
        self._session = aiohttp.ClientSession(headers=headers)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._session.close()

    async def send(self, query: str, **variables: Any) -> Mapping[str, Any]:
        """Return the data. Raises `Failed` with what went wrong and what to do."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                async with self._session.post(self.url, json={"query": query, "variables": variables}) as response:
                    if response.status in BUSY and attempt < ATTEMPTS:
                        await asyncio.sleep(_wait(response, attempt))
                        continue
                    return await self._data(response)
            except (aiohttp.ClientError, OSError, ValueError) as error:
                raise Failed(f"{self.url} can't be reached: {error or type(error).__name__}") from error
        raise AssertionError("unreachable")

    async def _data(self, response: aiohttp.ClientResponse) -> Mapping[str, Any]:
        answer: Any = None
        if response.content_type in {"application/json", "application/graphql-response+json"}:
            answer = await response.json(content_type=None)
        if not isinstance(answer, dict) or not {"data", "errors"} & answer.keys():
            raise Failed(f"{self.url} isn't a GraphQL API: it answered {response.status} {response.reason}")
        if errors := answer.get("errors"):
            raise self.refused(errors, WRONG_PATH if response.status == NOT_FOUND else "")
        data: Mapping[str, Any] = answer["data"]
        return data

    def refused(self, errors: Iterable[Mapping[str, Any]], hint: str = "") -> Failed:
        """Return the exception for errors that refuse a request as a whole."""
        messages = dict.fromkeys(str(each.get("message")) for each in errors)
        return Failed(f"{self.url} refused the request: {'; '.join(messages)}{hint}")


def _address(url: str) -> URL:
    """Parse a server's URL. The error doesn't show it: its userinfo may be anywhere in a malformed one."""
    try:
        address = URL(url)
    except ValueError:
        raise Failed(f"The server's URL isn't of the form {FORM}") from None
    if address.scheme not in {"http", "https"} or not address.raw_host:
        raise Failed(f"The server's URL isn't of the form {FORM}")
    if address.raw_user or address.raw_password:
        raise Failed("The server's URL has a user or password. Remove them: the token authenticates you")
    return address


def _wait(response: aiohttp.ClientResponse, attempt: int) -> float:
    named = response.headers.get("Retry-After", "")
    return min(int(named) if named.isdecimal() else 2.0**attempt / 10, LONGEST_WAIT_SECONDS)
