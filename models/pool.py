"""A pool of connections, beside which those that snapshots gave back wait for the next one."""

from typing import Any

from sqlalchemy import AsyncAdaptedQueuePool, PoolProxiedConnection
from sqlalchemy.pool import ConnectionPoolEntry


class Pool(AsyncAdaptedQueuePool):
    """Hands on what is `idle`: to take a connection from the pool and to give it back costs as much as a small
    statement.

    Whoever finds the pool empty gets one of these. Where somebody waits none may be put there: the pool serves in turn,
    and whoever comes later would be served first.
    """

    _sqla_logger_namespace = "sqlalchemy.pool.Pool"  # or the lines that SQLAlchemy keeps to itself were in our log

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.idle: list[PoolProxiedConnection] = []
        self._waiting = 0

    @property
    def is_waited_for(self) -> bool:
        return self._waiting > 0

    def _do_get(self) -> ConnectionPoolEntry:
        self._waiting += 1
        try:
            if self.idle and self.checkedin() == 0 and self.overflow() >= 0:
                self.idle.pop().close()
            return super()._do_get()
        finally:
            self._waiting -= 1
