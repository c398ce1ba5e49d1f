"""Readers of a feed that are cut off at random, and resume at any server after the cursor of their last event."""

import asyncio
import socket
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any

import aiohttp
import orjson

from mainsheet.server.live.websocket import SUBPROTOCOL
from tests.chaos.client import HURRY_SECONDS, wait_to_retry
from tests.chaos.server import Server

END = "the end"  # the label of the last event
SILENCE_SECONDS = 10  # after which a subscriber subscribes again
PAGE = 100  # the most events of a page
HURRIED = 0.1  # the share of requests whose answers pollers don't wait for
EVENT = "id cursor subjectLabel"
SUBSCRIBE = (
    f"subscription ($after: String, $filter: EventFilter) {{ events(after: $after, filter: $filter) {{ {EVENT} }} }}"
)
QUERY = f"""query ($after: String, $filter: EventFilter, $first: Int!) {{
  events(after: $after, filter: $filter, first: $first) {{ nodes {{ {EVENT} }} pageInfo {{ endCursor }} }} }}"""


class Interrupted(Exception):
    """The server ended it, or answered with an error."""


@dataclass
class Reader(ABC):
    servers: Sequence[Server]
    http: aiohttp.ClientSession
    token: str
    after: str
    filter: Mapping[str, Any] | None
    chance: Random
    most: int  # events or requests before it cuts itself off
    seen: list[str] = field(default_factory=list)
    is_ended: bool = False
    interruptions: Counter[str] = field(default_factory=Counter)

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    async def read(self) -> None:
        """Read until the last event."""
        while not self.is_ended:
            try:
                await self.connect(self.chance.choice(self.servers).url, self.chance.randint(1, self.most))
                self.interruptions["cut itself off"] += 1
            except (aiohttp.ClientError, OSError, Interrupted) as error:
                self.interruptions[str(error) or type(error).__name__] += 1
                await wait_to_retry()

    def take(self, event: Mapping[str, str]) -> None:
        self.seen.append(event["id"])
        self.after = event["cursor"]
        self.is_ended = event["subjectLabel"] == END

    @abstractmethod
    async def connect(self, url: str, most: int) -> None:
        """Connect and take at most so many events."""


class Poller(Reader):
    async def connect(self, url: str, most: int) -> None:
        for _ in range(most):
            leaves = self.chance.random() < HURRIED
            async with asyncio.timeout(self.chance.uniform(0, HURRY_SECONDS) if leaves else SILENCE_SECONDS):
                page = await self._page(url, self.chance.choice([1, 10, *[PAGE] * 6]))
            for each in page["nodes"]:
                self.take(each)
            if self.is_ended:
                return
            self.after = page["pageInfo"]["endCursor"]
            if not page["nodes"]:
                await wait_to_retry()

    async def _page(self, url: str, first: int) -> Any:
        variables = {"after": self.after, "filter": self.filter, "first": first}
        body = {"query": QUERY, "variables": variables}
        async with self.http.post(url, json=body, headers=self.headers) as response:
            if response.status != 200:
                raise Interrupted(f"status {response.status}")
            return _data(await response.json(), QUERY)


class Subscriber(Reader):
    async def connect(self, url: str, most: int) -> None:
        async with aclosing(self.events(url)) as events:
            for _ in range(most):
                async with asyncio.timeout(SILENCE_SECONDS):
                    event = await anext(events)
                self.take(event)
                if self.is_ended:
                    return

    @abstractmethod
    def events(self, url: str) -> AsyncGenerator[Any]: ...

    @property
    def request(self) -> dict[str, Any]:
        return {"query": SUBSCRIBE, "variables": {"after": self.after, "filter": self.filter}}


class OverWebSocket(Subscriber):
    async def events(self, url: str) -> AsyncGenerator[Any]:
        async with self.http.ws_connect(url, protocols=[SUBPROTOCOL]) as raw:
            await raw.send_json({"type": "connection_init", "payload": self.headers})
            await raw.send_json({"type": "subscribe", "id": "1", "payload": self.request})
            try:
                async for message in raw:
                    match orjson.loads(message.data):
                        case {"type": "next", "payload": result}:
                            yield _data(result, SUBSCRIBE)
                        case {"type": "connection_ack"}:
                            pass
                        case {"type": "ping"}:
                            await raw.send_json({"type": "pong"})
                        case other:
                            raise Interrupted(f"WebSocket: {other}")
                raise Interrupted(f"WebSocket closed with {raw.close_code}")
            finally:
                if self.chance.random() < 1 / 2 and (connected := raw.get_extra_info("socket")):
                    _cut(connected)


class OverEventStream(Subscriber):
    async def events(self, url: str) -> AsyncGenerator[Any]:
        headers = {**self.headers, "Accept": "text/event-stream"}
        async with self.http.post(url, json=self.request, headers=headers, timeout=aiohttp.ClientTimeout()) as response:
            if response.status != 200:
                raise Interrupted(f"status {response.status}")
            async for line in response.content:
                name, _, value = line.strip().partition(b": ")
                if name == b"data":
                    yield _data(orjson.loads(value), SUBSCRIBE)
                elif value == b"complete":
                    raise Interrupted("event stream completed")
        raise Interrupted("event stream ended")


def _data(result: Mapping[str, Any], query: str) -> Any:
    if result.get("errors"):
        codes = sorted({each["extensions"]["code"] for each in result["errors"]})
        raise Interrupted(f"{query.split(maxsplit=1)[0]}: {', '.join(codes)}")
    return result["data"]["events"]


def _cut(connected: socket.socket) -> None:
    """End the connection without the closing handshake."""
    with suppress(OSError):
        connected.shutdown(socket.SHUT_RDWR)
