"""Runs the steps of a Containerfile in a folder with a bare Debian, as root: no container engine is needed.

It knows the instructions that ours uses, and refuses others. It changes nothing outside the folder: each step has its
own mounts.
"""

import json
import os
import shlex
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from testbed.programs import installed

# What a step needs to reach the packages' registries from here.
FROM_HERE = ("etc/resolv.conf", "etc/pip.conf", "etc/ssl/certs/ca-certificates.crt", "usr/local/share/ca-certificates")
MOUNTED = 'mount --bind /proc "$0/proc" && mount --rbind /dev "$0/dev" && exec "$@"'


def debian(folder: Path, release: str) -> None:
    """Install a minimal Debian into a folder, from where this machine gets its packages."""
    sources = [*Path("/etc/apt").glob("sources.list"), *Path("/etc/apt/sources.list.d").glob("*.sources")]
    options = [f"--aptopt={each}" for each in sorted(Path("/etc/apt/apt.conf.d").glob("99*"))]
    bare = [installed("mmdebstrap"), "--quiet", "--mode=root", "--variant=minbase", *options]
    subprocess.run([*bare, release, folder, *sources], check=True, capture_output=True, timeout=600)
    for here in (Path("/") / name for name in FROM_HERE):
        there = folder / here.relative_to("/")
        there.parent.mkdir(parents=True, exist_ok=True)
        if here.is_dir():
            shutil.copytree(here, there, dirs_exist_ok=True)
        elif here.exists():
            shutil.copy(here, there)


@dataclass
class Image:
    """A folder with the files, and how its program is started."""

    root: Path
    environment: dict[str, str] = field(default_factory=lambda: {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
    user: str = "0"
    folder: str = "/"
    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)

    def build(self, containerfile: Path, context: Path) -> None:
        """Run all steps. Raises `CalledProcessError` for one that fails, and `ValueError` for an unknown one."""
        text = containerfile.read_text("utf-8").replace("\\\n", " ")
        for line in filter(None, (each.partition("#")[0].strip() for each in text.splitlines())):
            instruction, _, rest = line.partition(" ")
            self._step(instruction, rest.strip(), context)

    def _step(self, instruction: str, rest: str, context: Path) -> None:
        match instruction:
            case "FROM":
                debian(self.root, rest.partition(":")[2].removesuffix("-slim"))
            case "RUN":
                self.run("/bin/sh", "-c", rest)
            case "COPY":
                *sources, target = rest.split()
                self._copy([file for each in sources for file in context.glob(each)], self.root / target.lstrip("/"))
            case "ENV":
                self.environment |= dict([rest.split("=", 1)])
            case "USER":
                self.user = rest
            case "WORKDIR":
                self.folder = rest
            case "ENTRYPOINT":
                self.entrypoint = json.loads(rest)
            case "CMD":
                self.command = json.loads(rest)
            case "EXPOSE" | "STOPSIGNAL":
                pass  # for engines
            case _:
                raise ValueError(f"unknown instruction: {instruction}")

    def _copy(self, files: list[Path], target: Path) -> None:
        assert files, f"nothing to copy to {target}"
        target.mkdir(parents=True, exist_ok=True)
        for each in files:
            shutil.copy(each, target)

    def run(self, *command: str) -> str:
        """Run a program to its good end as the image's user, and return what it prints."""
        done = subprocess.run(
            self._within(command), env=self.environment, capture_output=True, text=True, check=False, timeout=900
        )
        assert done.returncode == 0, (shlex.join(command), done.stdout[-4000:], done.stderr[-4000:])
        return done.stdout

    @contextmanager
    def running(self, settings: Mapping[str, str], *command: str) -> Iterator[subprocess.Popen[str]]:
        """Run the image's program inside this context, as an engine would. At the end, it must stop well."""
        whole = [*self.entrypoint, *(command or self.command)]
        with subprocess.Popen(
            self._within(whole),
            env={**self.environment, **settings},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            try:
                yield process
            finally:
                process.send_signal(signal.SIGTERM)
                assert process.wait(60) == 0

    def _within(self, command: list[str] | tuple[str, ...]) -> list[str]:
        assert os.geteuid() == 0
        inner = f"cd {shlex.quote(self.folder)} && exec {shlex.join(command)}"
        chroot = [installed("chroot"), f"--userspec={self.user}", str(self.root), "/bin/sh", "-c", inner]
        return [installed("unshare"), "--mount", "/bin/sh", "-c", MOUNTED, str(self.root), *chroot]
