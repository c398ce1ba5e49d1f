"""Checks the environment's `MAINSHEET_*` variables: a misspelled or empty one must not start a server with defaults."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path

from mainsheet.server.settings import PREFIX, SECRET, Settings

FILE = "_FILE"
# Of commands that are clients of a server, perhaps in the same environment.
OF_CLIENTS = {f"{PREFIX}URL", f"{PREFIX}TOKEN"}


class BadEnvironment(ValueError):
    """A variable of the environment can't be used."""


def secrets() -> list[str]:
    """Return the names of the settings that are secret."""
    return [name for name, each in Settings.model_fields.items() if each.json_schema_extra == SECRET]


def from_files(environment: Mapping[str, str]) -> dict[str, str]:
    """Check all variables. Return the secret settings that `MAINSHEET_…_FILE` variables name files of.

    Raises `BadEnvironment` for a variable that is unknown, empty or given twice, and a file that can't be read.
    """
    ours = {name.upper(): value for name, value in environment.items() if name.upper().startswith(PREFIX)}
    files = {PREFIX + name.upper() + FILE: name for name in secrets()}
    for problem in _problems(ours, files):
        raise BadEnvironment(problem)
    return {files[variable]: _content(variable, path) for variable, path in ours.items() if variable in files}


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
