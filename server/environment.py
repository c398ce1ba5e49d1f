"""Checks the environment's `MAINSHEET_*` variables: a misspelled or empty one must not start a server with defaults."""

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from mainsheet.server.settings import PREFIX, SECRET, Settings

FILE = "_FILE"
PORT = f"{PREFIX}PORT"
SERVICE_LINK = re.compile(rf"{PREFIX}(SERVICE_(HOST|PORT(_\w+)?)|PORT_\d+_\w+)")
# Of commands that are clients of a server, perhaps in the same environment.
OF_CLIENTS = {f"{PREFIX}URL", f"{PREFIX}TOKEN"}


class BadEnvironment(ValueError):
    """A variable of the environment can't be used."""


def secrets() -> list[str]:
    """Return the names of the settings that are secret."""
    return [name for name, each in Settings.model_fields.items() if each.json_schema_extra == SECRET]


def from_files(environment: Mapping[str, str]) -> dict[str, Any]:
    """Check all variables. Return the secret settings that `MAINSHEET_…_FILE` variables name files of.

    Kubernetes sets variables for a Service that is called `mainsheet`. They are ignored: `MAINSHEET_PORT=tcp://…` gives
    the default port. Raises `BadEnvironment` for a variable that is unknown, empty or given twice, and for a file that
    can't be read.
    """
    given = {name.upper(): value for name, value in environment.items() if name.upper().startswith(PREFIX)}
    ours = {name: value for name, value in given.items() if not _is_service_link(name, value)}
    files = {PREFIX + name.upper() + FILE: name for name in secrets()}
    for problem in _problems(ours, files):
        raise BadEnvironment(problem)
    default = {} if ours.keys() >= given.keys() & {PORT} else {"port": Settings.model_fields["port"].default}
    return default | {files[variable]: _content(variable, path) for variable, path in ours.items() if variable in files}


def names_from_files(environment: Mapping[str, str]) -> set[str]:
    """Return the names of the secret settings that `MAINSHEET_…_FILE` variables name files of."""
    given = {name.upper() for name in environment}
    return {name for name in secrets() if PREFIX + name.upper() + FILE in given}


def _is_service_link(variable: str, value: str) -> bool:
    """Return whether Kubernetes set it, because a Service of the namespace is called `mainsheet`."""
    return bool(SERVICE_LINK.fullmatch(variable)) or (variable == PORT and "://" in value)


def _problems(ours: Mapping[str, str], files: Mapping[str, str]) -> Iterator[str]:
    known = {PREFIX + name.upper() for name in Settings.model_fields} | files.keys() | OF_CLIENTS
    for variable, value in ours.items():
        if variable not in known:
            near = get_close_matches(variable, known, 1)
            yield f"{variable} is no setting" + (f": did you mean {near[0]}?" if near else "")
        elif not value.strip():
            yield f"{variable} is empty: give it a value, or remove it to use the default"
        elif variable in files and variable.removesuffix(FILE) in ours:
            yield f"Give {variable.removesuffix(FILE)} or {variable}, not both"


def _content(variable: str, path: str) -> str:
    """Return the content of a file without the final newline that editors add."""
    try:
        content = Path(path).read_text("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it isn't UTF-8"
        raise BadEnvironment(f"{variable}: {path} can't be read: {reason}") from None
    if not content.strip():
        raise BadEnvironment(f"{variable}: {path} is empty")
    return content
