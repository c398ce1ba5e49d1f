"""How a database would run a statement, as the server has it run, and what of that would cost more with each job."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import asyncpg
import orjson
from sqlalchemy import make_url

from models.database import POSTGRESQL_SETTINGS, Database

GROWING = "job|job_version|job_run|job_event|job_team|job_version_dependency|job_version_query|job_search_row"
SQLITE_SCAN = re.compile(rf"SCAN ({GROWING})(_\d+)?\b")
OF_ASKED = {"uq_job_version_one_draft", "ix_job_version_unscheduled"}  # hold nothing but what a filter asks for
PARAMETER = re.compile(r"\$(\d+)")


class Plans:
    """The plans of one database, each asked for once."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._known: dict[str, str] = {}

    async def of(self, database: Database, sql: str) -> str:
        if sql not in self._known:
            self._known[sql] = await (self._sqlite(database, sql) if database.is_sqlite else self._postgresql(sql))
        return self._known[sql]

    async def _sqlite(self, database: Database, sql: str) -> str:
        async with database.reads.connect() as connection:
            driver: Any = (await connection.get_raw_connection()).driver_connection
            unknown = [None] * sql.count("?")
            return "\n".join(row[3] for row in await driver.execute_fetchall(f"EXPLAIN QUERY PLAN {sql}", unknown))

    async def _postgresql(self, sql: str) -> str:
        """Ask for the plan of any parameters: the server has prepared statements use that one."""
        url = make_url(self._url)
        settings = dict(POSTGRESQL_SETTINGS)
        connection = await asyncpg.connect(
            host=url.host or url.query.get("host"),
            port=url.port,
            user=url.username,
            password=url.password,
            database=url.database,
            server_settings=settings,
        )
        try:
            await connection.execute(f"PREPARE asked AS {sql}")
            unknown = ", ".join(["NULL"] * max((int(each) for each in PARAMETER.findall(sql)), default=0))
            execute = f"EXECUTE asked({unknown})" if unknown else "EXECUTE asked"
            return str(await connection.fetchval(f"EXPLAIN (FORMAT JSON) {execute}"))
        finally:
            await connection.close()


def walks(plan: str) -> list[str]:
    """Say which growing tables the plan reads from end to end."""
    if not plan.startswith("["):
        return [line for line in plan.splitlines() if SQLITE_SCAN.match(line)]
    ((whole,),) = [[each["Plan"] for each in orjson.loads(plan)]]
    return [f"{node['Node Type']} of {_read_by(node)}" for node in _nodes(whole) if _is_walk(node)]


def _nodes(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield node
    for each in node.get("Plans", ()):
        yield from _nodes(each)


def _read_by(node: Mapping[str, Any]) -> str:
    return str(node.get("Index Name") or node.get("Relation Name"))


def _is_walk(node: Mapping[str, Any]) -> bool:
    if "Scan" not in node["Node Type"] or "Index Cond" in node or node["Node Type"] == "Bitmap Heap Scan":
        return False
    is_growing = re.compile(rf"(?:(?:ix|pk|uq)_)?(?:{GROWING})(?:_.*)?")
    return bool(is_growing.fullmatch(_read_by(node))) and _read_by(node) not in OF_ASKED
