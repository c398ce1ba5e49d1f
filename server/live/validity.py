import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from mainsheet.models.unavailable import Unavailable
from mainsheet.resolvers.caller import Caller
from mainsheet.server.auth.authentication import Authenticator
from mainsheet.server.errors import RateLimited


@dataclass(frozen=True)
class Validity:
    """Whether the token of an open connection still belongs to the same caller with the same role."""

    authenticator: Authenticator
    authorization: str | None
    client: str
    caller: Caller

    async def ends(self, check_seconds: float, between: Callable[[], Awaitable[None]] | None = None) -> None:
        """Return when the token is no longer valid. Call `between` after each check."""
        while await self._is_valid():
            if between:
                await between()
            await asyncio.sleep(check_seconds)

    async def _is_valid(self) -> bool:
        try:
            return await self.authenticator.caller(self.authorization, self.client) == self.caller
        except (Unavailable, RateLimited):
            return True  # unknown: ask again
