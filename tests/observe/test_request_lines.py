"""The lines of requests are written a few at a time: as they would be alone, in their order, and none is lost."""

import asyncio
import errno
import json
import logging
import os
import re
import select
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path
from typing import TextIO

import aiohttp
import pytest
import structlog
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mainsheet.models.instrumentation import Delivery, OperationRecord
from mainsheet.server.observe.log_fields import LogFields
from mainsheet.server.observe.logs import Logs, configure_logging
from mainsheet.server.observe.redaction import MOST_ITEMS
from mainsheet.server.settings import LogFormat
from tests.server.commands import PATIENCE, serving
from tests.server.conftest import Written, json_log

__all__ = ["json_log"]

TIMESTAMP = re.compile(r'"timestamp":"[^"]+"|^\S+Z (?=\[)', re.MULTILINE)
SECRETS = ("https://ada:hunter2@x/", "mst_0123456789abcdef", "whsec_0123456789", "eyJhbGciOiJub25l", "DETAIL:  a row")
TEXTS = st.one_of(st.text(max_size=20), st.sampled_from(SECRETS), st.text("é =\"'\n", max_size=9), st.just("é" * 3000))
CODES = st.lists(TEXTS, max_size=60, unique=True)


class Pieces(StringIO):
    """Keeps what was written at once."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []

    def write(self, text: str, /) -> int:
        self.pieces += [text] if text else []
        return len(text)


def delivery(path: str, operation: str | None = None, codes: list[str] | None = None) -> Delivery:
    record = OperationRecord("", "", "query", statements=2, database_seconds=0.25)
    return Delivery("GET", path, "", 200, 0.5, operation=operation, record=record, error_codes=codes or [])


@given(path=TEXTS, operation=st.none() | TEXTS, codes=CODES, client=TEXTS)
@example(path="/", operation=None, codes=[str(number) for number in range(MOST_ITEMS + 1)], client="")
@settings(max_examples=50)
@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_line_is_as_structlog_renders_it(
    log_format: LogFormat, path: str, operation: str | None, codes: list[str], client: str, json_log: Written
) -> None:
    details: dict[str, object] = {"method": "GET", "path": path, "status": 200}
    details |= {} if operation is None else {"operation": operation}
    details |= {"errors": codes} if codes else {}

    async def lines() -> tuple[str, str]:
        configure_logging(log_format, "debug", written := Written())
        with LogFields({"request_id": "r", "client": client}):
            Logs().delivered(delivery(path, operation, codes))
            ours = written.getvalue()
            log = structlog.stdlib.get_logger("mainsheet.requests")
            write = log.info if codes else log.debug
            write("request", **details, statements=2, database_ms=250.0, ms=500.0)
            return ours, written.getvalue()[len(ours) :]

    ours, usual = asyncio.run(lines())
    assert TIMESTAMP.sub("", ours) == TIMESTAMP.sub("", usual)


async def test_another_line_follows_those_that_wait(json_log: Written) -> None:
    configure_logging("json", "debug", stream := Pieces())
    for path in ("/a", "/b"):
        Logs().delivered(delivery(path))
    assert stream.pieces == []

    structlog.stdlib.get_logger("mainsheet").warning("odd")

    assert [re.findall("/a|/b|odd", each) for each in stream.pieces] == [["/a", "/b"], ["odd"]]


async def test_lines_of_several_workers_arent_mixed_up(json_log: Written) -> None:
    """A write to a pipe is atomic up to PIPE_BUF bytes."""
    configure_logging("json", "debug", stream := Pieces())
    paths = [f"/{'é' * (number % 200)}" for number in range(300)]
    for path in paths:
        Logs().delivered(delivery(path))
    structlog.stdlib.get_logger("mainsheet").warning("odd")

    assert "".join(stream.pieces).count("\n") == len(paths) + 1
    assert len(stream.pieces) < len(paths) / 5
    assert max(len(each.encode()) for each in stream.pieces) <= select.PIPE_BUF
    assert {each[-1] for each in stream.pieces} == {"\n"}


async def test_lines_are_written_without_another_one(json_log: Written) -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading) as reader, os.fdopen(writing, "w") as pipe:
        configure_logging("json", "debug", pipe)
        Logs().delivered(delivery("/a"))
        await readable(reader)

        assert '"path":"/a"' in reader.readline()


async def readable(file: TextIO) -> None:
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(file, ready.set)
    try:
        async with asyncio.timeout(PATIENCE):
            await ready.wait()
    finally:
        loop.remove_reader(file)


class Full(StringIO):
    def flush(self) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")


async def test_a_log_that_is_full_stops_no_request(json_log: Written) -> None:
    configure_logging("json", "debug", full := Full())

    for _ in range(50):
        Logs().delivered(delivery("/a"))

    assert full.getvalue().count("\n") > 30


class FullOnce(StringIO):
    is_full = True

    def flush(self) -> None:
        is_full, self.is_full = self.is_full, False
        if is_full:
            self.truncate(0)
            self.seek(0)
            raise OSError(errno.ENOSPC, "No space left on device")


async def test_lines_that_were_dropped_are_counted(json_log: Written) -> None:
    configure_logging("json", "debug", stream := FullOnce())

    for path in ("/a", "/b"):
        Logs().delivered(delivery(path))
    logging.root.handlers[0].flush()
    Logs().delivered(delivery("/c"))
    logging.root.handlers[0].flush()

    written, dropped = map(json.loads, stream.getvalue().splitlines())
    assert written["path"] == "/c"
    assert (dropped["event"], dropped["lines"]) == ("lines of requests dropped", 2)


async def test_a_character_that_cant_be_encoded_drops_no_line(json_log: Written) -> None:
    content = BytesIO()
    configure_logging("console", "debug", TextIOWrapper(content, "ascii"))

    for path in ("/a", "/é"):
        Logs().delivered(delivery(path))
    logging.root.handlers[0].flush()

    assert re.findall(rb"/a|/\\xe9", content.getvalue()) == [b"/a", rb"/\xe9"]


def test_lines_of_a_loop_that_ended_are_written_in_the_next(json_log: Written) -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading) as reader, os.fdopen(writing, "w") as pipe:
        configure_logging("json", "debug", pipe)

        async def deliver(path: str) -> None:
            Logs().delivered(delivery(path))

        async def next_loop() -> None:
            await deliver("/b")
            async with asyncio.timeout(PATIENCE):
                await readable(reader)

        asyncio.run(deliver("/a"))
        asyncio.run(next_loop())

        assert [json.loads(reader.readline())["path"] for _ in range(2)] == ["/a", "/b"]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_no_line_is_lost_at_the_end_of_workers(database_url: str, tmp_path: Path) -> None:
    environment = {"MAINSHEET_DATABASE_URL": database_url, "MAINSHEET_POOL_SIZE": "2", "MAINSHEET_LOG_LEVEL": "debug"}
    path = tmp_path / "log"
    with path.open("w") as log, serving("--workers", "2", environment=environment, log=log) as server:
        async with aiohttp.ClientSession(server.url.removesuffix("/graphql")) as http:
            for _ in range(40):
                async with http.get("/livez", headers={"Connection": "close"}) as response:
                    assert response.status == 200
        assert server.stop() == 0

    assert path.read_text("utf-8").count("path=/livez") == 40
