"""The manifests for Kubernetes are valid, and those and the file for Compose agree with the server."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from mainsheet.server.environment import FILE
from mainsheet.server.process.stopping import LINGER_SECONDS
from mainsheet.server.process.supervisor import GRACE_SECONDS
from mainsheet.server.settings import PREFIX, Settings
from testbed.proxies import DEPLOY
from tests.server.commands import invoke
from tests.venv import installed, run

KUBERNETES = DEPLOY / "kubernetes.yaml"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
DEPLOYMENT: dict[str, Any] = next(yaml.safe_load_all(KUBERNETES.read_text("utf-8")))
POD = DEPLOYMENT["spec"]["template"]["spec"]
SERVER = POD["containers"][0]
OLDEST, NEWEST = "1.29", "1.37"


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
async def test_kubernetes_accepts_the_manifest(version: str) -> None:
    validate = await installed(Path(__file__).parent / "kubernetes") / "kubernetes-validate"

    said = await run(validate, "--strict", "-k", version, KUBERNETES, cwd=DEPLOY)

    assert said.count("passed") == 3, said


OURS = [
    *(
        (each["args"], {name["name"]: name["value"] for name in each["env"]})
        for each in (*POD["initContainers"], SERVER)
    ),
    *((each["command"], each["environment"]) for each in COMPOSE["services"].values() if each["image"] == "mainsheet"),
]  # the arguments and settings of each container that runs our image


@pytest.mark.parametrize(("arguments", "environment"), OURS, ids=str)
def test_commands_and_settings_exist(arguments: list[str], environment: Mapping[str, str]) -> None:
    names = {each.removesuffix(FILE).removeprefix(PREFIX).lower() for each in environment}

    assert names <= Settings.model_fields.keys()
    assert invoke(*arguments, "--help").returncode == 0


@pytest.mark.parametrize("environment", [each for arguments, each in OURS if "serve" in arguments], ids=str)
def test_a_server_may_finish_its_requests_before_it_is_killed(environment: Mapping[str, str]) -> None:
    drain = float(environment["MAINSHEET_DRAIN_SECONDS"])
    longest = drain + LINGER_SECONDS + Settings().shutdown_seconds + GRACE_SECONDS

    assert POD["terminationGracePeriodSeconds"] >= longest
    assert int(COMPOSE["services"]["server"]["stop_grace_period"].removesuffix("s")) >= longest


def test_the_port_of_the_probes_is_the_admin_port() -> None:
    ports = {each["name"]: each["containerPort"] for each in SERVER["ports"]}
    settings = {each["name"]: each["value"] for each in SERVER["env"]}

    assert ports == {"http": Settings().port, "admin": int(settings["MAINSHEET_ADMIN_PORT"])}
    probes = [SERVER[f"{kind}Probe"]["httpGet"] for kind in ("startup", "liveness", "readiness")]
    assert probes == [{"path": path, "port": "admin"} for path in ("/livez", "/livez", "/readyz")]


def test_compose_serves_on_loopback_at_the_port_of_the_image() -> None:
    image = (DEPLOY / "Containerfile").read_text("utf-8")
    exposed = re.findall(r"^EXPOSE (\d+)$", image, re.MULTILINE)

    assert COMPOSE["services"]["server"]["ports"] == [f"127.0.0.1:{exposed[0]}:{Settings().port}"]
