"""Sends operations until the server answers. That is safe because each one has the same effect if it is repeated."""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from random import uniform
from typing import Any

import aiohttp

URL = os.environ.get("MAINSHEET_URL", "http://127.0.0.1:8000/graphql")
MOST_SECONDS = 5.0  # between two attempts
AGAIN = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.BAD_GATEWAY}
AGAIN |= {HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT}

PASSING = {"INTERNAL_SERVER_ERROR", "TIMEOUT", "OVERLOADED", "RATE_LIMITED"}

log = logging.getLogger(__name__)
Ask = Callable[..., Awaitable[dict[str, Any]]]


class Refused(Exception):
    """The server refused an operation, and would refuse it again."""


@dataclass(frozen=True)
class Client:
    http: aiohttp.ClientSession
    url: str
    token: str

    async def __call__(self, query: str, **variables: Any) -> dict[str, Any]:
        """Return the data of the answer. Raises `Refused`."""
        delay = 0.1
        while (data := await self._answer({"query": query, "variables": variables})) is None:
            await asyncio.sleep(uniform(delay / 2, delay))  # noqa: S311 so that planes don't come back all at once
            delay = min(delay * 2, MOST_SECONDS)
        return data

    async def _answer(self, body: dict[str, Any]) -> dict[str, Any] | None:
        """Return the data, or None if the request is to be repeated."""
        headers = {"Authorization": f"Bearer {self.token}", "Accept": "application/graphql-response+json"}
        try:
            async with self.http.post(self.url, json=body, headers=headers) as response:
                if response.status in AGAIN:
                    log.warning("%s answered %s: trying again", self.url, response.status)
                    return None
                answer: dict[str, Any] = await response.json()
        except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, TimeoutError) as error:
            log.warning("no answer from %s: trying again: %s", self.url, error or type(error).__name__)
            return None
        errors = answer.get("errors", ())
        if any(error["extensions"].get("code") in PASSING for error in errors):
            return None  # a mutation may have been made all the same, and only its answer couldn't be read
        if errors:
            raise Refused("; ".join(error["message"] for error in errors))
        data: dict[str, Any] = answer["data"]
        return data
