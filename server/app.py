"""The aiohttp application. Its dependencies are parameters, so that tests build it like the command does."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from functools import partial

import strawberry
from aiohttp import hdrs, web

from mainsheet.executor import Executor, Outcome, WorkerThread, core_schema, refer
from mainsheet.models.database import Database
from mainsheet.models.instrumentation import Instrumentation, Instruments
from mainsheet.models.replicas import Replicas
from mainsheet.resolvers.caller import Caller
from mainsheet.server.app_keys import (
    ADMIN,
    CONNECTIONS,
    EARLY_REFUSAL,
    FEED_WATCH,
    GATE,
    INSTRUMENTS,
    METRICS,
    REPLICAS,
    RUNNING_WORK,
)
from mainsheet.server.auth.authentication import Authenticator
from mainsheet.server.http.body import BodyLimits, expect_later
from mainsheet.server.http.client_address import Clients
from mainsheet.server.http.connections import Connections, Deadlines
from mainsheet.server.http.cors import allow_origins
from mainsheet.server.http.early_refusal import EarlyRefusal
from mainsheet.server.http.graphql_http import GraphQLEndpoint
from mainsheet.server.http.health import Readiness, alive
from mainsheet.server.http.playground import Playground
from mainsheet.server.http.protocol import UNREAD_SECONDS
from mainsheet.server.http.responses import answer_failures, answer_page
from mainsheet.server.http.runner import AdminRunner, Runner, add_headers
from mainsheet.server.http.schema_cache import SchemaCache
from mainsheet.server.live.feed_watch import FeedWatch
from mainsheet.server.live.pings import Pings
from mainsheet.server.live.sse import EventStream
from mainsheet.server.live.stream import Streams
from mainsheet.server.live.subscriptions import SubscriptionLimits, Subscriptions
from mainsheet.server.live.validity import Validity
from mainsheet.server.live.websocket import SocketLimits, WebSocketEndpoint, wants_socket
from mainsheet.server.observe.logs import Logs
from mainsheet.server.observe.metrics import Metrics
from mainsheet.server.observe.requests import observing
from mainsheet.server.observe.trace import is_allowed
from mainsheet.server.operations.budget import Budget
from mainsheet.server.operations.complexity import Limits
from mainsheet.server.operations.execution import Closable, Execute, Executions
from mainsheet.server.operations.gate import Gate
from mainsheet.server.operations.operation_store import OperationStore
from mainsheet.server.operations.public_budget import PublicBudget
from mainsheet.server.operations.time_limits import TimeLimits
from mainsheet.server.operations.turns import RequestTurns
from mainsheet.server.paths import GRAPHQL_PATH
from mainsheet.server.process.pruner import pruning, retention_of
from mainsheet.server.process.shutdown import RunningWork
from mainsheet.server.settings import Settings
from mainsheet.server.trusted_documents.lookup import TrustedDocuments
from mainsheet.server.trusted_documents.policy import DocumentPolicy

FLUSH_SECONDS = 2  # for clients to receive the responses that are complete
ADMIN_CONNECTIONS = 64  # open ones of the port for health checks and metrics, which few clients need
ADMIN_IDLE_SECONDS = 1  # so that clients that keep connections don't use them up


def make_app(
    settings: Settings,
    database: Database,
    authenticator: Authenticator,
    *,
    api: strawberry.Schema,
    open_context: Callable[[Caller], Closable],
    playground: Playground | None = None,
) -> web.Application:
    """Build the application. The caller closes the database and the authenticator."""
    running_work = RunningWork(settings.shutdown_seconds, settings.drain_seconds)
    metrics, instruments = Metrics(), database.instrumentation
    clients = Clients(settings.trusted_proxies)
    app = web.Application(middlewares=[running_work.track, observing(instruments, clients), answer_failures])
    app[INSTRUMENTS], app[METRICS], app[RUNNING_WORK] = instruments, metrics, running_work
    app[CONNECTIONS] = _connections(settings, clients, instruments)
    worker = WorkerThread()
    execute = _executor(settings, api, instruments, worker)
    executions = Executions(execute, TimeLimits(settings.request_timeout_seconds), running_work, instruments)
    operations = OperationStore(
        core_schema(api),
        Limits.of(settings),
        capacity=settings.operation_cache_bytes,
        worker=worker,
        timeout=settings.request_timeout_seconds,
        instrumentation=instruments,
    )
    budget = Budget(settings, database)
    app[GATE] = gate = Gate(budget.admissions[budget.queries], budget.debtors)
    app[EARLY_REFUSAL] = EarlyRefusal(gate, app[CONNECTIONS], GRAPHQL_PATH)
    trusted = TrustedDocuments(database, budget)
    documents = DocumentPolicy(
        settings.documents,
        frozenset(settings.untrusted_document_scopes),
        settings.public_introspection,
        trusted,
        operations,
        instruments,
    )
    app[FEED_WATCH] = watch = FeedWatch(database, settings.feed_poll_seconds)
    subscriptions = Subscriptions(database, watch, budget, SubscriptionLimits.of(settings))
    metrics.gauges.of_process(database, settings.workers)
    metrics.gauges.of_server(app[CONNECTIONS], running_work, subscriptions, operations)
    streams = Streams(operations, documents, executions, budget, open_context, subscriptions, settings.max_answer_bytes)
    validity = Validity(database, authenticator.last_use)
    sockets = WebSocketEndpoint(authenticator, streams, validity, SocketLimits.of(settings))
    app[REPLICAS] = replicas = Replicas.open(
        database, settings.replica_urls, settings.patience, settings.replica_max_lag_seconds
    )
    metrics.gauges.of_replicas(replicas)
    endpoint = GraphQLEndpoint(
        authenticator=authenticator,
        operations=operations,
        documents=documents,
        body_limits=BodyLimits(settings.max_body_bytes, settings.body_timeout_seconds),
        executions=executions,
        budget=budget,
        public_budget=PublicBudget(settings, database),
        gate=gate,
        open_context=open_context,
        instrumentation=instruments,
        max_answer_bytes=settings.max_answer_bytes,
        replicas=replicas,
        schema_cache=SchemaCache.of(core_schema(api)),
        public_introspection=settings.public_introspection,
        playground=playground.page if playground else answer_page,
        allows_traces=is_allowed(settings),
        event_stream=EventStream(streams, validity),
    )

    async def graphql(request: web.Request) -> web.StreamResponse:
        return await (sockets if wants_socket(request) else endpoint).answer(request)

    app.router.add_route(hdrs.METH_ANY, GRAPHQL_PATH, graphql, expect_handler=expect_later)
    readiness = Readiness(database, running_work)
    app[ADMIN] = app if settings.admin_port is None else web.Application()
    app[ADMIN].router.add_get("/livez", alive)
    app[ADMIN].router.add_get("/readyz", readiness.answer)
    app[ADMIN].router.add_get("/metrics", metrics.answer)
    if playground:
        playground.add_routes(app)
    if settings.cors_origins:
        allow_origins(app, settings.cors_origins)
    for each in [app] if app[ADMIN] is app else [app, app[ADMIN]]:
        each.on_response_prepare.append(add_headers)
    app.on_shutdown.append(partial(_stop, sockets, subscriptions, settings.shutdown_seconds / 2))
    app.cleanup_ctx.append(partial(_reporting, instruments, [Logs(settings.slow_operation_seconds), metrics, watch]))
    app.cleanup_ctx.append(partial(metrics.gauges.sampling, metrics.loop_lag_seconds.observe))
    app.cleanup_ctx.append(partial(_watching, watch))
    app.cleanup_ctx.append(partial(_measuring, replicas))
    app.cleanup_ctx.append(validity.checking)
    app.cleanup_ctx.append(Pings(sockets.connections).running)
    app.cleanup_ctx.append(trusted.closing)
    app.cleanup_ctx.append(readiness.closing)
    app.cleanup_ctx.append(partial(pruning, database, retention_of(settings)))
    app.cleanup_ctx.append(partial(_closing, worker))
    return app


async def _stop(sockets: WebSocketEndpoint, subscriptions: Subscriptions, seconds: float, app: web.Application) -> None:
    """End long connections, whose clients come back elsewhere, while running requests and mutations end."""
    sockets.stop()
    await asyncio.gather(subscriptions.end_all(seconds), app[RUNNING_WORK].drain())


def make_runner(app: web.Application) -> Runner:
    """Make a runner that cancels a query when its client disconnects. We write the access log ourselves."""
    connections = app[CONNECTIONS]
    return Runner(
        app,
        handler_cancellation=True,
        access_log=None,
        shutdown_timeout=FLUSH_SECONDS,
        keepalive_timeout=connections.deadlines.idle,
        lingering_time=UNREAD_SECONDS,
        auto_decompress=False,
        connections=connections,
        early_refusal=app[EARLY_REFUSAL],
        gate=app[GATE],
        turns=RequestTurns(),
    )


def make_admin_runner(app: web.Application) -> AdminRunner:
    """Make a runner for a port of the health checks and metrics. Connections of the API can't use up its own ones."""
    api = app[CONNECTIONS]
    deadlines = replace(api.deadlines, idle=ADMIN_IDLE_SECONDS)
    return AdminRunner(
        app[ADMIN],
        access_log=None,
        keepalive_timeout=ADMIN_IDLE_SECONDS,
        lingering_time=UNREAD_SECONDS,
        connections=Connections(ADMIN_CONNECTIONS, ADMIN_CONNECTIONS, deadlines, api.clients, api.instrumentation),
        early_refusal=app[EARLY_REFUSAL],
    )


def _connections(settings: Settings, clients: Clients, instrumentation: Instrumentation) -> Connections:
    deadlines = Deadlines(
        header=settings.header_timeout_seconds,
        idle=settings.idle_timeout_seconds,
        write=settings.write_timeout_seconds,
    )
    return Connections(
        settings.max_connections, settings.max_connections_per_address, deadlines, clients, instrumentation
    )


def _executor(
    settings: Settings, api: strawberry.Schema, instrumentation: Instrumentation, worker: WorkerThread
) -> Execute:
    if settings.executor == "reference":
        return partial(refer, api, most_bytes=settings.max_answer_bytes)
    return compiled_executor(settings, api, instrumentation.executed, worker).execute


def compiled_executor(
    settings: Settings, api: strawberry.Schema, observe: Callable[[Outcome], None], worker: WorkerThread
) -> Executor:
    """Return the executor with the server's options."""
    return Executor(
        api,
        observe=observe,
        worker=worker,
        keeps_datetimes=True,
        believes_rows=True,
        most_bytes=settings.max_answer_bytes,
    )


async def _reporting(
    instruments: Instruments, own: list[Instrumentation], _app: web.Application
) -> AsyncIterator[None]:
    """Report to this application's logs and metrics while it runs; another one may use the database after it."""
    instruments.add(*own)
    yield
    for each in own:
        instruments.remove(each)


async def _watching(watch: FeedWatch, _app: web.Application) -> AsyncIterator[None]:
    async with watch.running():
        yield


async def _measuring(replicas: Replicas, _app: web.Application) -> AsyncIterator[None]:
    if not replicas:
        yield
        return
    async with replicas.measuring():
        yield


async def _closing(worker: WorkerThread, _app: web.Application) -> AsyncIterator[None]:
    yield
    worker.close()
