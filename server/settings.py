"""All settings, each defined once: environment variables `MAINSHEET_*` or command options."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, IPvAnyNetwork, JsonValue
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from mainsheet.models.database import Patience, Pooling
from mainsheet.models.roles import AccessScope

LogFormat = Literal["console", "json"]
DocumentMode = Literal["any", "log", "trusted"]
Executing = Literal["compiled", "reference"]
LogLevel = Literal["debug", "info", "warning", "error"]

# Asymmetric only: anyone who can verify a token by a shared secret could also issue one.
Algorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]

DEFAULT_ALGORITHMS: tuple[Algorithm, ...] = ("RS256", "ES256", "EdDSA")
DEFAULT_SCOPES = (AccessScope.READ, AccessScope.WRITE)


def _split(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


# `A,B` in the environment, where pydantic-settings alone would want JSON.
CommaSeparated = (NoDecode, BeforeValidator(_split))


PREFIX = "MAINSHEET_"
UNIX = "unix:"  # begins the hosts that are paths of Unix domain sockets
SECRET: dict[str, JsonValue] = {"secret": True}  # of settings that are masked, and may be given as files


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, hide_input_in_errors=True)

    database_url: str = Field(
        "sqlite:///mainsheet.sqlite3",
        description="The database: sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME.",
        json_schema_extra=SECRET,
    )
    pool_size: int = Field(
        10,
        ge=2,
        le=1000,
        description="Database connections of each process; a third of them are for mutations (SQLite has one writer).",
    )
    database_pooling: Pooling = Field(
        "session",
        description="How a pooler in front of PostgreSQL lends out sessions: for a connection (session, also without a"
        " pooler) or a transaction. PgBouncer needs the value transaction, whatever its pool_mode is.",
    )
    pool_timeout_seconds: float = Field(
        3, gt=0, le=60, description="How long a request waits for a database connection before it is answered 503."
    )
    statement_timeout_seconds: float = Field(20, gt=0, description="How long one statement may take on PostgreSQL.")
    lock_timeout_seconds: float = Field(
        5, gt=0, description="How long a change waits for a lock; on SQLite, for any other change."
    )

    replica_urls: Annotated[tuple[str, ...], *CommaSeparated] = Field(
        (),
        description="Replicas of PostgreSQL, separated by commas, for queries that ask for one: see docs/operations.md."
        " Each URL leads to one server.",
        json_schema_extra=SECRET,
    )
    replica_max_lag_seconds: float = Field(
        5, gt=0, le=120, description="A replica that is further behind the primary isn't read."
    )

    host: Annotated[tuple[str, ...], *CommaSeparated] = Field(
        ("127.0.0.1",),
        min_length=1,
        description="The addresses to listen on, separated by commas: 0.0.0.0 is all of IPv4, :: all of IPv6 and IPv4,"
        " and unix:PATH a Unix domain socket.",
    )
    port: int = Field(8000, ge=0, le=65535, description="The port to listen on; 0 takes a free one.")
    socket_mode: str = Field(
        "660", pattern="^[0-7]{3}$", description="The file mode, in octal, of Unix domain sockets to listen on."
    )
    workers: int = Field(
        1, ge=1, le=64, description="Processes that share the port, each with its own connections; PostgreSQL only."
    )
    demo: bool = Field(False, description="Fill the database with demo data and print tokens; loopback only.")
    max_connections: int = Field(2_000, ge=1, description="Open connections of each process; more are answered 503.")
    max_connections_per_address: int = Field(
        200, ge=1, description="Open connections of one address (IPv6: /64 network); trusted proxies may have more."
    )
    header_timeout_seconds: float = Field(15, gt=0, description="How long a client may take to send headers.")
    body_timeout_seconds: float = Field(
        30, gt=0, description="How long a client may take to send a body before it is answered 408."
    )
    idle_timeout_seconds: float = Field(
        75, gt=0, description="How long a connection is kept without a request: longer than a proxy in front keeps it."
    )
    write_timeout_seconds: float = Field(
        60, gt=0, description="How long a client may take to receive an answer before it is cut off."
    )
    trusted_proxies: Annotated[tuple[IPvAnyNetwork, ...], *CommaSeparated] = Field(
        (), description="Addresses or networks, separated by commas, whose X-Forwarded-For names the client."
    )

    wrong_tokens_per_minute: int = Field(
        60, ge=0, description="Unknown tokens of one client address before it is answered 429; 0 for no limit."
    )
    token_cache_seconds: float = Field(
        1, ge=0, le=60, description="How long a token's owner is cached: a revoked token works for as long."
    )
    cors_origins: Annotated[tuple[str, ...], *CommaSeparated] = Field(
        (),
        description="Origins whose pages may call the API, separated by commas, or `*` for all.",
    )
    feed_poll_seconds: float = Field(
        1, gt=0, le=60, description="How often the feed is read for subscriptions when no notification arrives."
    )
    event_retention_days: int = Field(0, ge=0, le=36_500, description="How long events are kept; 0 is for ever.")
    run_retention_days: int = Field(
        0,
        ge=0,
        le=36_500,
        description="How long finished runs are kept, except for the latest of each job; 0 is for ever.",
    )
    token_retention_days: int = Field(
        90, ge=0, le=36_500, description="How long expired and revoked tokens are kept for lists; 0 is for ever."
    )
    webhook_delivery_retention_days: int = Field(
        30, ge=0, le=36_500, description="How long finished deliveries of webhooks are listed; 0 is for ever."
    )
    webhook_networks: Annotated[tuple[IPvAnyNetwork, ...], *CommaSeparated] = Field(
        (),
        description="Networks or addresses, separated by commas, to which webhooks may send though they aren't public;"
        " by plain http, too.",
    )
    max_subscriptions: int = Field(10_000, ge=0, description="Subscriptions of each process; more are refused.")
    max_subscriptions_per_organization: int = Field(
        2_000, ge=0, description="Subscriptions of one organization in each process; more are refused."
    )
    max_subscriptions_per_caller: int = Field(
        500, ge=0, description="Subscriptions of one caller in each process; more are refused."
    )
    max_operations_per_connection: int = Field(
        100, ge=1, description="Operations that may run at once on one WebSocket connection."
    )
    websocket_init_seconds: float = Field(
        10, gt=0, description="How long a WebSocket client may take to send `connection_init`."
    )
    max_operations_per_caller: int = Field(
        5, ge=1, description="Operations of one caller that run at once in each process; more of them wait."
    )
    max_queued_per_caller: int = Field(
        100, ge=0, description="Operations of one caller that may wait in each process; one more is answered 429."
    )
    queue_seconds: float = Field(
        0.5,
        ge=0,
        le=60,
        description="How long a request may be expected to wait for those before it; more are answered 503 at once; 0"
        " is no limit.",
    )
    points_per_minute: int = Field(
        10_000_000,
        ge=0,
        description="Cost of one caller's operations in a minute, divided among the workers; 0 is no limit.",
    )
    database_seconds_per_minute: float = Field(
        120,
        ge=0,
        description="Time of one caller's statements in a minute, divided among the workers; 0 is no limit.",
    )
    organization_limit_factor: int = Field(
        20, ge=1, description="The budgets and the queue of an organization, as multiples of those of one caller."
    )
    organization_share: float = Field(
        0.75,
        gt=0,
        le=1,
        description="The share of the database connections that one organization may use at once; 1 if there is only"
        " one organization.",
    )
    request_timeout_seconds: float = Field(30, gt=0, description="How long one operation may take.")
    run_sweep_seconds: float = Field(
        5, gt=0, description="How often to look for runs whose worker didn't renew its lease in time."
    )
    admin_port: int | None = Field(
        None, ge=0, le=65535, description="A port of its own for /livez, /readyz and /metrics; unset, the same port."
    )
    admin_host: Annotated[tuple[str, ...], *CommaSeparated] = Field(
        (), description="The addresses of MAINSHEET_ADMIN_PORT, like those of MAINSHEET_HOST; unset, the same ones."
    )
    drain_seconds: float = Field(
        0,
        ge=0,
        description="How long a server answers after SIGTERM while /readyz reports 503, so that load balancers stop"
        " sending requests.",
    )
    shutdown_seconds: float = Field(
        30, gt=0, description="How long a stopping server waits for running requests and mutations."
    )

    executor: Executing = Field(
        "compiled", description="What runs operations: our compiler, or graphql-core alone (reference)."
    )
    trace: bool = Field(
        False,
        description="Report cost and SQL of an operation when X-Mainsheet-Trace is sent; always on in the demo.",
    )
    public_introspection: bool = Field(
        False, description="Answer introspection without a token; data always needs one."
    )
    documents: DocumentMode = Field(
        "any",
        description="Which documents run: all (any), all but logging those that the mode trusted would refuse (log), or"
        " those that `mainsheet documents add` has added (trusted).",
    )
    untrusted_document_scopes: Annotated[tuple[AccessScope, ...], *CommaSeparated] = Field(
        (AccessScope.ADMIN,),
        description="Scopes, separated by commas: their tokens may run any document; a comma alone is none.",
    )
    max_body_bytes: int = Field(1024 * 1024, ge=1024, description="The largest request body.")
    max_tokens: int = Field(20_000, ge=100, description="The longest document, in lexical tokens.")
    max_depth: int = Field(20, ge=1, description="How deep the fields of an operation may be nested.")
    max_fields: int = Field(2_000, ge=1, description="Fields of an operation, fragments expanded.")
    max_cost: int = Field(
        1_000_000, ge=1, description="Fields of an operation, each multiplied by the lists' sizes above it."
    )
    max_variable_values: int = Field(
        10_000, ge=1, description="Values in the variables of a request, those inside lists and objects included."
    )
    max_answer_bytes: int = Field(
        10 * 1024 * 1024, ge=1024, description="The largest response, in bytes of JSON; counted while it is built."
    )
    operation_cache_bytes: int = Field(
        64 * 1024 * 1024,
        ge=0,
        description="Memory of each process for prepared operations and their compiled programs.",
    )

    log_format: LogFormat = Field("console", description="Log format: for people (console) or programs (json).")
    log_level: LogLevel = Field(
        "info",
        description="The least important level that is logged. The level info has a line for each mutation and for each"
        " request that failed, debug for every request.",
    )
    slow_operation_seconds: float = Field(
        1, ge=0, description="Operations that take longer are logged with their slowest statements; 0 logs none."
    )

    oidc_file: Path | None = Field(
        None,
        description="A YAML file with the issuers of accepted JWTs, instead of the other MAINSHEET_OIDC_ settings: for"
        " several issuers, new members, groups and programs.",
    )
    oidc_issuer: str | None = Field(
        None, description="The `iss` of accepted JWTs; without it and a file, no JWT is accepted."
    )
    oidc_audience: str | None = Field(None, description="The `aud` that accepted JWTs must name.")
    oidc_jwks_url: str | None = Field(
        None, description="Where the issuer publishes its keys; unset, its discovery document says so."
    )
    oidc_jwks_file: Path | None = Field(None, description="A file with the issuer's keys, instead of the URL.")
    oidc_algorithms: Annotated[tuple[Algorithm, ...], *CommaSeparated] = Field(
        DEFAULT_ALGORITHMS,
        min_length=1,
        description="Accepted signature algorithms, separated by commas; asymmetric ones only.",
    )
    oidc_leeway_seconds: int = Field(30, ge=0, le=600, description="Tolerated clock difference.")
    oidc_organization: str | None = Field(
        None, description="The id of the organization whose members the issuer authenticates."
    )
    oidc_scopes: Annotated[tuple[AccessScope, ...], *CommaSeparated] = Field(
        DEFAULT_SCOPES,
        description="The scopes of JWTs, separated by commas: READ, WRITE, RUNS, ADMIN.",
    )
    oidc_member_claim: str = Field("email", description="The claim that holds the member's email address.")
    oidc_trust_emails: bool = Field(
        False,
        description="Accept JWTs without `email_verified`, from an issuer that verifies every address in that claim.",
    )

    @property
    def patience(self) -> Patience:
        """The timeouts of the database for requests."""
        return Patience(
            connection=self.pool_timeout_seconds,
            statement=self.statement_timeout_seconds,
            lock=self.lock_timeout_seconds,
        )

    @property
    def admin_hosts(self) -> tuple[str, ...]:
        """The addresses of the admin port."""
        return self.admin_host or tuple(each for each in self.host if not each.startswith(UNIX))
