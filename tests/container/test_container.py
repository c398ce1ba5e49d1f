"""The steps of deploy/Containerfile make a server in a bare Debian. It needs `make dist`, and root."""

import json
import os
from pathlib import Path
from urllib.request import Request, urlopen

from testbed.programs import not_here
from tests.container.image import Image

ROOT = Path(__file__).parents[2]
LOOPBACK = {"MAINSHEET_HOST": "127.0.0.1", "MAINSHEET_PORT": "0"}


def test_the_image_serves(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        not_here("only root can change the root folder of a program")
    image = Image(tmp_path / "image")
    image.build(ROOT / "deploy/Containerfile", ROOT)

    assert image.run("id", "--user").strip() == "10001"
    image.run("mainsheet", "db", "upgrade")
    token = image.run("mainsheet", "init", "--organization", "acme", "--admin", "ada@acme.example").strip()
    with image.running(LOOPBACK) as server:
        assert server.stdout
        lines = (json.loads(line) for line in server.stdout if line.startswith("{"))
        url = next(line["url"] for line in lines if line["event"] == "serving")
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        asked = Request(url, json.dumps({"query": "{ me { organization { name } } }"}).encode(), headers)
        with urlopen(asked, timeout=20) as response:
            answer = json.load(response)
        with urlopen(Request(url, headers={"Accept": "text/html"}), timeout=20) as response:
            page = response.read().decode()

    assert answer == {"data": {"me": {"organization": {"name": "acme"}}}}
    assert "./playground/assets/" in page
