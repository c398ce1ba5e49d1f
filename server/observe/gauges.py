"""Gauges for Prometheus. Most are sampled: when metrics are read, and every second for the reads of other workers."""

import asyncio
import os
import platform
import time
from collections.abc import AsyncIterator, Callable
from importlib.metadata import version
from pathlib import Path

from aiohttp import web
from prometheus_client import CollectorRegistry, Gauge

from mainsheet.models.database import Database
from mainsheet.models.replicas import Replicas
from mainsheet.server.http.connections import Connections
from mainsheet.server.live.subscriptions import Subscriptions
from mainsheet.server.operations.operation_store import OperationStore
from mainsheet.server.process.shutdown import RunningWork

EVERY_SECONDS = 1
STATM = Path("/proc/self/statm")  # Linux only
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class Gauges:
    """The gauges of one process. Those of several workers are added up, or the largest counts."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._samples: list[tuple[Callable[[float], None], Callable[[], float]]] = []
        self.queue_length = self._sum("mainsheet_graphql_queue_length", "Operations that wait for their caller's turn.")
        self.feed_lag = self._largest(
            "mainsheet_feed_lag_seconds",
            "How long events of organizations with subscriptions or webhooks have waited for an older transaction.",
        )
        self.processes = self._sum("mainsheet_processes", "Serving processes.")
        self.workers = self._largest("mainsheet_workers", "The serving processes that were asked for.")
        self.build = self._largest("mainsheet_build_info", "1, labelled.", "version", "python", "database")
        self.start = self._largest("mainsheet_start_time_seconds", "When the youngest process started, in Unix time.")
        self.memory = self._sum("mainsheet_resident_memory_bytes", "Memory of the processes; Linux only.")
        self.pool_size = self._sum("mainsheet_pool_size", "The most database connections: read, write.", "pool")
        self.pool_used = self._sum("mainsheet_pool_used", "Database connections in use: read, write.", "pool")
        self.pool_waiting = self._sum("mainsheet_pool_waiting", "Reads that wait for a database connection.")
        self.connections = self._sum("mainsheet_connections", "Open connections of clients.")
        self.requests = self._sum("mainsheet_running_requests", "Requests without a response, streams among them.")
        self.mutations = self._sum("mainsheet_running_mutations", "Mutations that run, also if their client left.")
        self.subscriptions = self._sum("mainsheet_subscriptions", "Subscriptions.")
        self.groups = self._sum("mainsheet_subscription_groups", "Groups of equal subscriptions, which share results.")
        self.replica_lag = self._largest(
            "mainsheet_replica_lag_seconds",
            "How far a replica is behind the primary; +Inf if it isn't used, 0 for the primary.",
            "replica",
        )
        self.cached = self._sum("mainsheet_operation_cache_operations", "Prepared operations that are kept.")
        self.cache_bytes = self._sum("mainsheet_operation_cache_bytes", "Their estimated size.")

    def of_process(self, database: Database, workers: int) -> None:
        """Set what doesn't change."""
        self.processes.set(1)
        self.workers.set(workers)
        self.start.set(time.time())
        kind = "sqlite" if database.is_sqlite else "postgresql"
        self.build.labels(version("mainsheet"), platform.python_version(), kind).set(1)
        pool = database.read_pool
        self.pool_size.labels("read").set(pool.size)
        self.pool_size.labels("write").set(database.writers)
        self._sampled(self.pool_used.labels("read"), lambda: pool.used)
        self._sampled(self.pool_used.labels("write"), lambda: database.used_writers)
        self._sampled(self.pool_waiting, lambda: pool.waiting)
        if STATM.exists():
            self._sampled(self.memory, lambda: int(STATM.read_text().split()[1]) * PAGE_BYTES)

    def of_server(
        self, connections: Connections, work: RunningWork, subscriptions: Subscriptions, operations: OperationStore
    ) -> None:
        self._sampled(self.connections, lambda: connections.total)
        self._sampled(self.requests, lambda: work.requests)
        self._sampled(self.mutations, lambda: work.mutations)
        self._sampled(self.subscriptions, lambda: subscriptions.count)
        self._sampled(self.groups, lambda: subscriptions.groups)
        self._sampled(self.cached, lambda: len(operations))
        self._sampled(self.cache_bytes, lambda: operations.size)

    def of_replicas(self, replicas: Replicas) -> None:
        for each in replicas.all:
            self._sampled(self.replica_lag.labels(each.name), each.reported_lag)

    def sample(self) -> None:
        for set_, value in self._samples:
            set_(value())

    async def sampling(self, lag: Callable[[float], None], _app: web.Application) -> AsyncIterator[None]:
        """Sample while the application runs, and report how late the event loop wakes this task."""
        task = asyncio.create_task(self._repeat(lag), name="metrics")
        yield
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def _repeat(self, lag: Callable[[float], None]) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self.sample()
            due = loop.time() + EVERY_SECONDS
            await asyncio.sleep(EVERY_SECONDS)
            lag(max(0.0, loop.time() - due))

    def _sampled(self, gauge: Gauge, value: Callable[[], float]) -> None:
        self._samples.append((gauge.set, value))

    def _sum(self, name: str, help_: str, *labels: str) -> Gauge:
        return Gauge(name, help_, labels, registry=self._registry, multiprocess_mode="livesum")

    def _largest(self, name: str, help_: str, *labels: str) -> Gauge:
        return Gauge(name, help_, labels, registry=self._registry, multiprocess_mode="livemax")
