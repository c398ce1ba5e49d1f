"""Messages go only to addresses that are allowed, which is checked at each connection."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_address, ip_network
from typing import Any

import pytest
from aiohttp import web
from yarl import URL

from mainsheet.models.webhook_delivery import Outcome
from mainsheet.server.webhooks.addresses import AddressRule, Network
from mainsheet.server.webhooks.client import MOST_READ, WebhookClient
from tests.webhooks.conftest import LOOPBACK, PATIENCE, Received, Receiver

PUBLIC = ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8"]
NOT_PUBLIC = [
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",  # metadata on Alibaba Cloud
    "127.0.0.1",
    "168.63.129.16",  # metadata on Azure
    "169.254.169.254",  # metadata elsewhere
    "172.16.0.1",
    "192.0.0.192",  # metadata on Oracle Cloud
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",  # NAT64
    "64:ff9b:1::a00:1",
    "100::1",
    "2001::1",  # Teredo
    "2001:db8::1",
    "2002:a00:1::1",  # 6to4
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",  # metadata on AWS
    "fe80::1",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
]
MOST_THREADS = 32  # of an event loop, whatever the number of CPUs
REFUSED = "The host has an address that isn't allowed."


def test_public_addresses_are_allowed_and_no_others() -> None:
    rule = AddressRule([], public=True)

    assert [each for each in PUBLIC + NOT_PUBLIC if rule.allows(ip_address(each))] == PUBLIC


def test_only_given_networks_are_allowed_by_plain_http() -> None:
    rule = AddressRule([ip_network("10.0.0.0/8"), ip_network("fd00::/8")], public=False)
    allowed = ["10.0.0.1", "::ffff:10.0.0.1", "fd00:ec2::254"]

    assert {each for each in PUBLIC + NOT_PUBLIC if rule.allows(ip_address(each))} == {*allowed}


@asynccontextmanager
async def client(*networks: Network, timeout_seconds: float = 15) -> AsyncIterator[WebhookClient]:
    made = WebhookClient(networks, timeout_seconds)
    try:
        yield made
    finally:
        await made.close()


async def sent(receiver: Receiver, host: str, *networks: Network, scheme: str = "http") -> Outcome:
    port = URL(receiver.url).port
    async with client(*networks) as own:
        return await own.send(f"{scheme}://{host}:{port}/in", {}, b"{}")


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "0x7f.0.0.1",
        "2130706433",
        "017700000001",
        "0",
        "localhost",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
    ],
)
async def test_no_spelling_of_an_address_that_is_not_public_is_connected_to(
    receiver: Receiver, host: str, scheme: str
) -> None:
    assert (await sent(receiver, host, scheme=scheme)).error in {REFUSED, "The URL isn't valid."}
    assert receiver.requests.empty()


async def test_a_name_is_resolved_and_checked_at_each_attempt(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter(["127.0.0.1", "127.0.0.2"])

    def resolve(_host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (next(answers), port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    port = URL(receiver.url).port
    async with client(ip_network("127.0.0.1")) as own:
        outcomes = [await own.send(f"http://hooks.example:{port}/in", {}, b"{}") for _ in range(2)]

    assert outcomes == [Outcome(200), Outcome(None, REFUSED)]
    assert receiver.requests.qsize() == 1


async def test_a_name_server_that_does_not_answer_holds_up_nothing_else(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, answers = asyncio.Event(), threading.Event()
    loop, resolve = asyncio.get_running_loop(), socket.getaddrinfo

    def wait_then_resolve(host: str, *arguments: Any, **options: Any) -> list[Any]:
        if host == "hangs.example":
            loop.call_soon_threadsafe(begun.set)
            answers.wait()
            raise socket.gaierror
        return resolve(host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", wait_then_resolve)
    async with client(*LOOPBACK) as own:
        hanging = [asyncio.create_task(own.send("http://hangs.example/in", {}, b"{}")) for _ in range(MOST_THREADS + 1)]
        try:
            async with asyncio.timeout(PATIENCE):
                await begun.wait()
                await asyncio.to_thread(threading.get_ident)  # as for `/metrics`
                outcome = await own.send(receiver.url.replace("127.0.0.1", "localhost"), {}, b"{}")
        finally:
            answers.set()
            await asyncio.gather(*hanging)

    assert outcome == Outcome(200)
    assert {each.result().error for each in hanging} == {"The host name can't be resolved."}


async def test_of_several_addresses_only_an_allowed_one_is_used(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def resolve(_host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        kind = (socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
        return [(socket.AF_INET, *kind, (each, port)) for each in ("10.0.0.1", "127.0.0.1")]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)

    assert await sent(receiver, "hooks.example", *LOOPBACK) == Outcome(200)


async def test_a_proxy_of_the_environment_is_not_used(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)

    assert await sent(receiver, "127.0.0.1", *LOOPBACK) == Outcome(200)


async def test_redirects_are_not_followed(receiver: Receiver) -> None:
    receiver.will_answer(307, Location=receiver.url)

    outcome = await sent(receiver, "127.0.0.1", *LOOPBACK)

    assert outcome == Outcome(307, "The receiver answered with the status 307. Redirects aren't followed.")
    assert receiver.requests.qsize() == 1


async def test_the_start_of_a_huge_answer_is_read(receiver: Receiver) -> None:
    written = 0

    async def answer(received: Received) -> web.StreamResponse:
        nonlocal written
        response = web.StreamResponse()
        await response.prepare(received.request)
        while True:
            await response.write(b" " * MOST_READ)
            written += MOST_READ

    receiver.answer = answer

    assert await sent(receiver, "127.0.0.1", *LOOPBACK) == Outcome(200)
    assert written < 1000 * MOST_READ


@pytest.mark.parametrize("has_headers", [True, False])
async def test_a_slow_answer_is_not_waited_for(receiver: Receiver, has_headers: bool) -> None:
    ended = asyncio.Event()

    async def answer(received: Received) -> web.StreamResponse:
        response = web.StreamResponse()
        if has_headers:
            await response.prepare(received.request)
        await ended.wait()
        return response

    receiver.answer = answer
    async with client(*LOOPBACK, timeout_seconds=0.1) as own:
        outcome = await own.send(receiver.url, {}, b"{}")
    ended.set()

    # The status counts, also if the text doesn't end.
    assert outcome == (Outcome(200) if has_headers else Outcome(None, "There was no answer within 0.1 seconds."))


async def test_failures_to_connect_have_reasons(receiver: Receiver, unused_tcp_port: int) -> None:
    async with client(*LOOPBACK) as own:
        refused = await own.send(f"http://127.0.0.1:{unused_tcp_port}", {}, b"")
        unknown = await own.send("https://hooks.invalid", {}, b"")
        no_tls = await own.send(receiver.url.replace("http:", "https:"), {}, b"")

    assert refused.error == "The host refused the connection."
    assert unknown.error == "The host name can't be resolved."
    assert no_tls.error == "The TLS connection failed: the certificate may be invalid."
