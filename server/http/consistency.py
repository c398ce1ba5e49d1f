"""Decides whether a query is read from a replica, by the header `X-Mainsheet-Consistency`.

A mutation's answer has the header with a token: the primary's position in the write-ahead log after the mutation,
signed with the key of the primary's timeline. A query that sends it back is read from a replica that has replayed the
log up to there, or else from the primary. `any` is read from any replica. Without the header, a query is read from the
primary.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from http import HTTPStatus

from aiohttp import web
from graphql import OperationType

from mainsheet.models.instrumentation import Instrumentation
from mainsheet.models.replica import Replica
from mainsheet.models.replicas import Replicas
from mainsheet.server.errors import RequestError

HEADER = "X-Mainsheet-Consistency"
ANY = "any"
POSITION_BYTES, SIGNATURE_BYTES = 8, 16
UNKNOWN = urlsafe_b64encode(bytes(POSITION_BYTES + SIGNATURE_BYTES)).decode()  # no key verifies it


@dataclass(eq=False)
class Consistency:
    """Where one operation is read from, and the token of its answer, if it has one.

    Until the position after a mutation is known, its token is one that leads to the primary.
    """

    replica: Replica | None = None
    token: str | None = None

    @classmethod
    def of(
        cls, request: web.Request, kind: OperationType, replicas: Replicas, instruments: Instrumentation
    ) -> "Consistency":
        """Read the request's header. Raises `RequestError` if it isn't `any` or a token."""
        sent = _sent(request)
        if not replicas:
            return cls()
        if kind is OperationType.MUTATION:
            return cls(token=UNKNOWN)
        if sent is None:
            return cls()
        position = 0 if sent == ANY else verified(sent, replicas.key)
        if position is None:
            instruments.routed("unknown")
            return cls(token=UNKNOWN)
        replica = replicas.choose(position)
        instruments.routed("replica" if replica else "behind")
        return cls(replica)

    async def settle(self, replicas: Replicas) -> None:
        """Renew the token after the operation, so that it covers all that was committed until now."""
        if self.token is None:
            return
        primary = await replicas.written()
        if primary and primary.key:
            self.token = signed(primary.position, primary.key)

    def headers(self) -> dict[str, str]:
        return {} if self.token is None else {HEADER: self.token}


def signed(position: int, key: str) -> str:
    content = position.to_bytes(POSITION_BYTES)
    return urlsafe_b64encode(content + _signature(content, key)).decode()


def verified(token: str, key: str | None) -> int | None:
    """Return the token's position. None if it was signed with another key: in another timeline, or by nobody."""
    decoded = urlsafe_b64decode(token)
    content, signature = decoded[:POSITION_BYTES], decoded[POSITION_BYTES:]
    if key is None or not hmac.compare_digest(signature, _signature(content, key)):
        return None
    return int.from_bytes(content)


def _signature(content: bytes, key: str) -> bytes:
    return hmac.digest(bytes.fromhex(key), content, "sha256")[:SIGNATURE_BYTES]


def _sent(request: web.Request) -> str | None:
    sent = request.headers.getall(HEADER, ())
    if not sent:
        return None
    if len(sent) == 1 and (sent[0] == ANY or _is_token(sent[0])):
        return sent[0]
    message = f"{HEADER} is `any`, or the value that an earlier answer had in this header."
    raise RequestError(HTTPStatus.BAD_REQUEST, message)


def _is_token(text: str) -> bool:
    try:
        return len(text) == len(UNKNOWN) and len(urlsafe_b64decode(text)) == POSITION_BYTES + SIGNATURE_BYTES
    except ValueError:  # also that of base64
        return False
