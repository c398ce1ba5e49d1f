"""GraphQL over server-sent events: the protocol `graphql-sse`, in its mode of distinct connections.

Each event is `next` with a result, then `complete`. A stream that ends without `complete` was interrupted: the client
subscribes again, after the cursor of its last event.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from dataclasses import dataclass
from functools import lru_cache

import orjson
from aiohttp import hdrs, web

from mainsheet.models.instrumentation import Refusal
from mainsheet.resolvers.caller import Caller
from mainsheet.server.app_keys import INSTRUMENTS
from mainsheet.server.errors import InvalidOperation
from mainsheet.server.exchange import EXCHANGE
from mainsheet.server.http.accept import media_ranges
from mainsheet.server.http.request import EVENT_STREAM, GRAPHQL_RESPONSE, JSON, GraphQLRequest
from mainsheet.server.http.turn_taking import protocol_of
from mainsheet.server.live.group import TooSlow
from mainsheet.server.live.stream import Streams, error_of, errors_of
from mainsheet.server.live.subscriptions import Stopping
from mainsheet.server.live.validity import Validity

COMMENT_SECONDS = 12
COMMENT = b":\n\n"
COMPLETE = b"event: complete\ndata:\n\n"


@lru_cache(maxsize=256)
def prefers_events(accept: str | None) -> bool:
    """Return whether the client prefers events to JSON. Many clients list all types, with equal qualities."""
    qualities = dict(media_ranges(accept or ""))
    return qualities.get(EVENT_STREAM, 0.0) > max(qualities.get(name, 0.0) for name in (GRAPHQL_RESPONSE, JSON))


@dataclass(frozen=True)
class EventStream:
    streams: Streams
    validity: Validity

    async def answer(
        self,
        request: web.Request,
        caller: Caller,
        graphql_request: GraphQLRequest | InvalidOperation,
        ended: asyncio.Event,
    ) -> web.StreamResponse:
        """Send the results, or the errors of an operation that can't be run."""
        request[EXCHANGE].is_stream = True
        protocol_of(request).begin_stream()
        response = web.StreamResponse(headers={hdrs.CONTENT_TYPE: EVENT_STREAM, hdrs.CACHE_CONTROL: "no-cache"})
        response.headers["X-Accel-Buffering"] = "no"  # for nginx
        await response.prepare(request)
        await response.write(COMMENT)  # some proxies pass the headers on with the first bytes only
        sending = asyncio.create_task(self._send(request, response, caller, graphql_request))
        watching = asyncio.create_task(self._watch(response, ended))
        try:
            await asyncio.wait([sending, watching], return_when=asyncio.FIRST_COMPLETED)
            if sending.done():
                sending.result()
        finally:
            for task in (sending, watching):
                task.cancel()
            await asyncio.gather(sending, watching, return_exceptions=True)
        return response

    async def _send(
        self,
        request: web.Request,
        response: web.StreamResponse,
        caller: Caller,
        graphql_request: GraphQLRequest | InvalidOperation,
    ) -> None:
        request_id = request[EXCHANGE].request_id
        try:
            async with aclosing(self._results(caller, graphql_request, request_id)) as results:
                async for each in results:
                    await response.write(b"event: next\ndata: " + each + b"\n\n")
        except TooSlow:
            request.app[INSTRUMENTS].refused(Refusal("slow_reader", client=request[EXCHANGE].client))
            return  # without `complete`, so that the client subscribes again
        except Stopping:
            return
        except InvalidOperation as invalid:
            errors = errors_of(invalid, request_id, request.app[INSTRUMENTS])
            await response.write(b"event: next\ndata: " + orjson.dumps({"errors": errors}) + b"\n\n")
        except ConnectionError:
            raise
        except Exception as failure:  # noqa: BLE001 the status was sent already
            error = error_of(failure, request_id, request.app[INSTRUMENTS])
            await response.write(b"event: next\ndata: " + orjson.dumps({"errors": [error]}) + b"\n\n")
        await response.write(COMPLETE)

    def _results(
        self, caller: Caller, graphql_request: GraphQLRequest | InvalidOperation, request_id: str
    ) -> AsyncGenerator[bytes]:
        if isinstance(graphql_request, InvalidOperation):
            raise graphql_request
        return self.streams.results(caller, graphql_request, request_id)

    async def _watch(self, response: web.StreamResponse, ended: asyncio.Event) -> None:
        """Return when the token is no longer valid. Send comments, so that proxies keep the connection."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(COMMENT_SECONDS):
                    await ended.wait()
                    return
            await response.write(COMMENT)
