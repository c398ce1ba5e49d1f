"""The wheel is complete and has no other files, and dependencies are locked by name and hash."""

import ast
import re
import subprocess
import sys
import tarfile
import tomllib
from collections.abc import Sequence
from importlib.metadata import packages_distributions
from itertools import chain
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "server/http/page"
LOCKS = ("requirements.lock", "requirements-dev.lock")
OWN = {"mainsheet", "tests", "testbed", "benchmarks", "examples", "generated"}  # the last by ariadne-codegen
PACKAGES = ("demo", "executor", "models", "resolvers", "schema", "server")


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the sdist, and the wheel from it."""
    folder = tmp_path_factory.mktemp("wheel")
    build: list[str | Path] = [sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT]
    subprocess.run(build, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def wheel_files(distributions: Path) -> set[str]:
    (wheel,) = distributions.glob("*.whl")
    return set(ZipFile(wheel).namelist())


def test_no_wheel_is_in_the_sdist(distributions: Path) -> None:
    (sdist,) = distributions.glob("*.tar.gz")
    with tarfile.open(sdist) as files:
        names = files.getnames()

    assert any(name.endswith("/releases/0.1.0/sqlite.db.gz") for name in names)
    assert [name for name in names if name.endswith(".whl")] == []


def test_every_module_of_every_package_is_in_the_wheel(wheel_files: set[str]) -> None:
    modules = {f"mainsheet/{path.relative_to(ROOT)}" for package in PACKAGES for path in (ROOT / package).rglob("*.py")}

    assert modules <= wheel_files


def test_the_schema_and_the_migrations_are_in_the_wheel(wheel_files: set[str]) -> None:
    assert {
        "mainsheet/schema/schema.graphql",
        "mainsheet/models/migrations/script.py.mako",
        "mainsheet/models/migrations/versions/0001_initial.py",
    } <= wheel_files


def test_the_playground_is_in_the_wheel(wheel_files: set[str]) -> None:
    built = {f"mainsheet/{path.relative_to(ROOT)}" for path in PAGE.rglob("*") if path.is_file()}

    assert "mainsheet/server/http/page/index.html" in built, "`make playground` builds it"
    assert built <= wheel_files


def test_nothing_else_is_in_the_wheel(wheel_files: set[str]) -> None:
    assert {name.split("/")[0].split("-")[0] for name in wheel_files} == {"mainsheet"}
    assert any(name.endswith("licenses/LICENSE") for name in wheel_files)


@pytest.mark.parametrize(
    ("folders", "groups"),
    [(PACKAGES, ()), (("tests", "testbed", "benchmarks", "examples"), ("dev",))],
    ids=["installed", "development"],
)
def test_each_imported_distribution_is_declared(folders: tuple[str, ...], groups: tuple[str, ...]) -> None:
    """An undeclared package would be missing when the package that depends on it drops it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    extras = project["project"]["optional-dependencies"].values()
    own = [*project["project"]["dependencies"], *chain(*extras)]
    requirements = [*own, *chain(*map(project["dependency-groups"].get, groups))]
    declared = {_name(each) for each in requirements}
    owners = packages_distributions()
    third_party = _imported(folders) - sys.stdlib_module_names - OWN

    assert {"aiohttp", "graphql"} <= third_party
    assert {name for name in third_party if not declared & {_name(each) for each in owners.get(name, ())}} == set()


@pytest.mark.parametrize("lock", LOCKS)
def test_each_locked_package_has_a_version_and_hashes(lock: str) -> None:
    entries = re.split(r"\n(?=\S)", (ROOT / lock).read_text().strip())

    assert len(entries) > 20
    for entry in entries:
        assert re.match(r"[a-z0-9-]+==[\w.]+( ; [^\n]+)? \\\n( +--hash=sha256:[0-9a-f]{64}( \\\n|$))+$", entry), entry


def test_both_locks_have_the_same_runtime_versions() -> None:
    runtime, development = (_versions(ROOT / lock) for lock in LOCKS)

    assert runtime.items() <= development.items()


def test_all_requirements_are_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    extras = chain(*project["project"]["optional-dependencies"].values())
    asked = [*project["build-system"]["requires"], *project["dependency-groups"]["dev"], *extras]

    assert {_name(each) for each in project["project"]["dependencies"]} <= _versions(ROOT / LOCKS[0]).keys()
    assert {_name(each) for each in asked} <= _versions(ROOT / LOCKS[1]).keys()


def _imported(folders: Sequence[str]) -> set[str]:
    """Return the top-level names that the modules in these folders import."""
    paths = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    nodes = [node for path in paths for node in ast.walk(ast.parse(path.read_text("utf-8")))]
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return {name.partition(".")[0] for name in plain | {str(n.module) for n in nodes if isinstance(n, ast.ImportFrom)}}


def _versions(lock: Path) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9-]+)==([\w.]+)", lock.read_text(), re.MULTILINE))


def _name(requirement: str) -> str:
    return re.split(r"[^\w-]", requirement)[0].lower().replace("_", "-")
