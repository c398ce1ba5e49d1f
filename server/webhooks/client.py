"""Sends a message to an address by HTTP."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from http import HTTPStatus

from aiohttp import (
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientError,
    ClientResponse,
    ClientSession,
    ClientSSLError,
    ClientTimeout,
    DummyCookieJar,
    InvalidURL,
    TCPConnector,
)
from yarl import URL

from mainsheet.models.webhook_delivery import GONE, Outcome
from mainsheet.server.webhooks.addresses import AddressNotAllowed, AddressRule, Network
from mainsheet.server.webhooks.names import Resolver

TIMEOUT_SECONDS = 15.0
MOST_READ = 64 * 1024  # bytes of an answer, whose text isn't used

REASONS: Mapping[type[Exception], str] = {  # the first that fits
    AddressNotAllowed: "The host has an address that isn't allowed.",
    InvalidURL: "The URL isn't valid.",
    ClientConnectorDNSError: "The host name can't be resolved.",
    ClientSSLError: "The TLS connection failed: the certificate may be invalid.",
    ClientConnectorError: "The host refused the connection.",
}


class WebhookClient:
    """Sends by https to public addresses, and by https or http to those in the networks.

    Each attempt resolves the host again, uses no proxy, and follows no redirect.
    """

    def __init__(self, networks: Sequence[Network], timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self._timeout_seconds = timeout_seconds
        self._sessions = {
            "https": self._session(AddressRule(networks, public=True)),
            "http": self._session(AddressRule(networks, public=False)),
        }

    def _session(self, rule: AddressRule) -> ClientSession:
        # Kept connections would go to addresses that were checked earlier.
        connector = TCPConnector(
            limit=0, force_close=True, use_dns_cache=False, resolver=Resolver(), socket_factory=rule.socket
        )
        timeout = ClientTimeout(total=self._timeout_seconds)
        return ClientSession(connector=connector, timeout=timeout, cookie_jar=DummyCookieJar(), auto_decompress=False)

    async def close(self) -> None:
        for each in self._sessions.values():
            await each.close()

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        target = URL(url)
        post = partial(self._sessions[target.scheme].post, target, data=body, headers=headers, allow_redirects=False)
        try:
            async with post() as response:
                await _read(response)
                return _outcome(response.status)
        except (ClientError, OSError, ValueError) as error:  # a timeout is an OSError
            return Outcome(None, self._reason(error))

    def _reason(self, error: Exception) -> str:
        if isinstance(error, TimeoutError):
            return f"There was no answer within {self._timeout_seconds:g} seconds."
        cause = error.os_error if isinstance(error, ClientConnectorError) else None
        known = cause if isinstance(cause, AddressNotAllowed) else error
        return next((reason for kind, reason in REASONS.items() if isinstance(known, kind)), "The connection failed.")


async def _read(response: ClientResponse) -> None:
    """Read the answer's text, so that the receiver isn't cut off while it writes. The status alone counts."""
    left = MOST_READ
    with suppress(ClientError, OSError):
        while left > 0 and (chunk := await response.content.read(left)):
            left -= len(chunk)


def _outcome(status: int) -> Outcome:
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return Outcome(status)
    hint = " Redirects aren't followed." if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST else ""
    return Outcome(status, f"The receiver answered with the status {status}.{hint}", is_final=status == GONE)
