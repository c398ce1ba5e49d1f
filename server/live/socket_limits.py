"""The limits of a WebSocket connection."""

from dataclasses import dataclass
from typing import Self

from mainsheet.server.settings import Settings


@dataclass(frozen=True)
class SocketLimits:
    init_seconds: float
    write_seconds: float
    message_bytes: int
    operations: int

    @classmethod
    def of(cls, settings: Settings) -> Self:
        return cls(
            init_seconds=settings.websocket_init_seconds,
            write_seconds=settings.write_timeout_seconds,
            message_bytes=settings.max_body_bytes,
            operations=settings.max_operations_per_connection,
        )
