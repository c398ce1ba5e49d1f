"""graphql-core's own tests of execution, with the compiled executor in place of its `execute`."""

import json
import os
import re
import subprocess
import sys
import tarfile
from importlib.metadata import version
from pathlib import Path

import pytest

from mainsheet.executor import Outcome
from testbed.programs import not_here

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
TESTS = ["tests/execution", "--ignore=tests/execution/incremental", "tests/test_star_wars_query.py"]
OPTIONS = ["-p", "no:randomly", "-p", "no:cacheprovider", "-n0", "-q", "-o", "addopts=", "-o", "filterwarnings="]

# By name, with the reason.
FAILURES = {
    # graphql-core's `execute_sync` delivers incrementally though the schema lacks `@defer`. Here it is called with an
    # executor class, as by Strawberry, and then it doesn't.
    "throws_if_encountering_async_iterable_execution_without_check_sync",
}


def pip(*arguments: str | Path) -> None:
    """Run pip. Skip the test if it fails, probably without network; in CI fail it."""
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        not_here(f"pip can't get graphql-core's tests: {done.stderr[-500:]}")


def unpacked(folder: Path) -> Path:
    """Return the source distribution of the locked graphql-core, unpacked."""
    name = f"graphql_core-{version('graphql-core')}"
    locked = re.search(r"^graphql-core==(?:.*\\\n)*.*\n", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    assert locked
    (folder / "core.lock").write_text(locked[0])
    source: list[str | Path] = [
        "--no-binary",
        "graphql-core",
        "--no-deps",
        "--require-hashes",
        "--requirement",
        folder / "core.lock",
    ]
    pip("download", "--dest", folder, *source)
    with tarfile.open(folder / f"{name}.tar.gz") as archive:
        archive.extractall(folder, filter="data")
    return folder / name


def test_its_tests_pass(tmp_path: Path) -> None:
    core, plugins, outcomes = unpacked(tmp_path), tmp_path / "plugins", tmp_path / "outcomes.json"
    pip("install", "--target", plugins, "--no-deps", "--require-hashes", "--requirement", HERE / "plugins.lock")
    environment = os.environ | {"PYTHONPATH": f"{plugins}{os.pathsep}{HERE}", "OUTCOMES": str(outcomes)}

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "compiled_core", *OPTIONS, *TESTS],
        cwd=core,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    failures = set(re.findall(r"^(?:FAILED|ERROR) .*?(\w+(?:\[.*\])?)(?: - .*)?$", done.stdout, re.MULTILINE))
    assert failures == FAILURES, done.stdout[-5000:] + done.stderr[-2000:]
    taken = json.loads(outcomes.read_text())
    assert {Outcome.COMPILED, Outcome.RECOVERED, Outcome.PARTS, Outcome.REPLAYED} <= taken.keys()


@pytest.mark.parametrize(("ci", "raised"), [(None, pytest.skip.Exception), ("true", pytest.fail.Exception)])
def test_without_network_they_are_skipped_but_fail_in_ci(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ci: str | None, raised: type[BaseException]
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("CI", raising=False)
    if ci:
        monkeypatch.setenv("CI", ci)

    with pytest.raises(raised, match="pip can't get"):
        unpacked(tmp_path)
