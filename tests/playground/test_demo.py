"""The demo gives its page the tokens that it prints."""

import os
import re
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, create_subprocess_exec
from pathlib import Path

from aiohttp import ClientSession

OWN_PAGE = {"X-Mainsheet-Playground": "1"}


async def test_the_page_gets_the_printed_tokens(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mainsheet.server.cli", "serve", "--demo", "--port", "0"]
    environment = os.environ | {"MAINSHEET_DATABASE_URL": f"sqlite:///{tmp_path / 'demo.sqlite3'}"}
    server = await create_subprocess_exec(*command, stdout=PIPE, stderr=DEVNULL, env=environment)
    assert server.stdout
    printed = ""
    while "Serving" not in printed:
        printed += (await server.stdout.readuntil(b"\n")).decode()
    (url,) = re.findall(r"Serving (http://\S+)/graphql", printed)

    async with ClientSession(url) as http, http.get("/playground/members", headers=OWN_PAGE) as response:
        members = await response.json()
    server.send_signal(signal.SIGTERM)

    assert re.findall(r"token  (\S+)", printed) == [member["token"] for member in members]
    assert await server.wait() == 0
