"""The issuer's public keys (RFC 7517), kept in memory."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from pathlib import Path

import aiohttp
import orjson
import structlog
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import JWKRegistry, Key, KeySet
from joserfc.jws import JWSRegistry

from mainsheet.server.errors import Code, RequestError
from mainsheet.server.observe.log_fields import detached

REFETCH_SECONDS = 10.0  # forged key ids must not cause many requests to the issuer
MAX_AGE_SECONDS = 600.0  # keys that the issuer withdrew must expire
TIMEOUT_SECONDS = 5.0
MAX_BYTES = 512 * 1024
DISCOVERY = "/.well-known/openid-configuration"

log = structlog.stdlib.get_logger("mainsheet.authentication")


class KeysUnavailable(RequestError):
    """No key could be read since the start, so that tokens can't be verified."""

    def __init__(self) -> None:
        super().__init__(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "The issuer's keys can't be read now, so JWTs can't be verified.",
            code=Code.INTERNAL_SERVER_ERROR,
            headers={"Retry-After": str(round(REFETCH_SECONDS))},
        )


class PublishedKeys:
    """Caches the issuer's keys. An unknown key id causes a fetch, at most once per `REFETCH_SECONDS`.

    Old keys are kept when the issuer can't be reached.
    """

    def __init__(self, load: Callable[[], Awaitable[bytes]], clock: Callable[[], float] = time.monotonic) -> None:
        self._load = load
        self._clock = clock
        self._keys = KeySet([])
        self._fetched = float("-inf")
        self._last_fetch = float("-inf")
        self._fetching: asyncio.Task[None] | None = None

    async def find(self, kid: str | None, algorithm: str) -> Key:
        """Return the key with that id, or the only one if `kid` is None.

        Raises `InvalidKeyIdError` if there is no such key, `KeysUnavailable` if none could be read yet.
        """
        key = self._cached(kid, algorithm)
        if key is None:
            await self._refresh()
            key = self._cached(kid, algorithm)
        elif self._clock() - self._fetched > MAX_AGE_SECONDS:
            self._start()  # in the background: the keys we have will do for this request
        if key is None and self._fetched == float("-inf"):
            raise KeysUnavailable
        if key is None:
            raise InvalidKeyIdError("the issuer publishes no such key")
        return key

    def _cached(self, kid: str | None, algorithm: str) -> Key | None:
        # Keys of other types may have the same id (RFC 7517, section 4.5). Without an id, there must be one key in all.
        kind = JWSRegistry.algorithms[algorithm].key_type
        keys = KeySet([key for key in self._keys if kid is None or key.key_type == kind])
        try:
            return keys.get_by_kid(kid, {"alg": algorithm, "use": "sig"})
        except InvalidKeyIdError:
            return None

    async def _refresh(self) -> None:
        self._start()
        if self._fetching is not None:
            # A client that disconnects must not cancel the fetch that other requests wait for.
            await asyncio.shield(self._fetching)

    def _start(self) -> None:
        if self._fetching is None and self._clock() - self._last_fetch >= REFETCH_SECONDS:
            self._last_fetch = self._clock()
            self._fetching = detached(self._fetch(), "issuer's keys")

    async def _fetch(self) -> None:
        try:
            self._keys = _parse(await self._load())
            self._fetched = self._clock()
        except (OSError, ValueError, TimeoutError, aiohttp.ClientError) as error:
            log.warning("the issuer's keys can't be read", reason=f"{type(error).__name__}: {error}")
        finally:
            self._fetching = None


async def download(url: str) -> bytes:
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
    async with (
        aiohttp.ClientSession(timeout=timeout, raise_for_status=True) as session,
        session.get(url, allow_redirects=False) as response,  # a redirect could leave https
    ):
        if response.status != 200:  # noqa: PLR2004
            raise ValueError(f"answered {response.status}")
        return await _limited(response.content)


async def discovered(issuer: str) -> bytes:
    """Return the keys at the address that the issuer publishes (OpenID Connect Discovery 1.0, section 4).

    Raises `ValueError` if its document is not about this issuer, or leads from https to http.
    """
    document = orjson.loads(await download(issuer.rstrip("/") + DISCOVERY))
    if not isinstance(document, dict) or document.get("issuer") != issuer:
        raise ValueError("its discovery document is about another issuer")
    url = document.get("jwks_uri")
    if not isinstance(url, str) or not url.startswith(("https://", issuer.partition("://")[0] + "://")):
        raise ValueError("its discovery document has no usable jwks_uri")
    return await download(url)


async def _limited(content: aiohttp.StreamReader) -> bytes:
    body = b""
    async for chunk in content.iter_any():
        body += chunk
        if len(body) > MAX_BYTES:
            raise ValueError(f"more than {MAX_BYTES} bytes")
    return body


async def read(path: Path) -> bytes:
    return await asyncio.to_thread(path.read_bytes)


def _parse(body: bytes) -> KeySet:
    """Return the usable keys (RFC 7517 §5). Raises `ValueError` if there are none."""
    document = orjson.loads(body)
    entries = document.get("keys") if isinstance(document, dict) else None
    keys = [key for entry in entries if (key := _key(entry))] if isinstance(entries, list) else []
    if not keys:
        raise ValueError("no usable key in it")
    return KeySet(keys)


def _key(entry: object) -> Key | None:
    try:
        return JWKRegistry.import_key(entry) if isinstance(entry, dict) else None
    except (JoseError, ValueError, TypeError, KeyError):
        return None
