"""Job documents in YAML files, one in each. A document has the fields of the input `JobDocumentInput`."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from graphql import (
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    validate_input_value,
)

from mainsheet.models import limits
from mainsheet.server.job_files.document import DOCUMENT, Document, is_same
from mainsheet.server.job_files.whole_file import write_whole
from mainsheet.server.yaml_document import parsed

SUFFIXES = {".yaml", ".yml"}
ANY_TEXT = limits.Text()
UNBROKEN = 10**9  # a width at which PyYAML breaks no line
# Numbers in YAML 1.2 (section 10.3.2), which editors read. Some are texts in YAML 1.1, such as 08 and 1e3.
NUMBER = re.compile(r"([-+]?[0-9]+|0o[0-7]+|[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?)\Z")
ODD_BREAKS = "\r\x85\u2028\u2029"  # YAML would change them in a block


@dataclass(frozen=True)
class JobFile:
    path: Path
    document: Document

    @property
    def job_key(self) -> str:
        return str(self.document["jobKey"])

    @property
    def dependencies(self) -> Sequence[str]:
        return [each["jobKey"] for each in self.document["config"].get("dependencies") or ()]


class BadFiles(Exception):
    """Files aren't job documents. `problems` has a line for each fault."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def read(directory: Path) -> Sequence[JobFile]:
    """Return the documents of all YAML files below the directory, by path. Raises `BadFiles` with all faults.

    Hidden folders, such as `.github`, aren't searched.
    """
    files: list[JobFile] = []
    problems: list[str] = []
    for path in _paths(directory):
        document, faults = _checked(path)
        problems += [f"{path}: {fault}" for fault in faults]
        if not faults:
            files.append(JobFile(path, document))
    first: dict[str, Path] = {}
    for each in files:
        if (other := first.setdefault(each.job_key, each.path)) != each.path:
            problems.append(f"{each.path}: jobKey: {other} has the job {each.job_key!r} too.")
    if problems:
        raise BadFiles(problems)
    return files


def paths_by_key(directory: Path) -> dict[str, Path]:
    """Return the path of each job's file below the directory, whether or not the file has faults."""
    found: dict[str, Path] = {}
    for path in _paths(directory):
        document, _ = _checked(path)
        if isinstance(document, Mapping) and isinstance(job_key := document.get("jobKey"), str):
            found.setdefault(job_key, path)
    return found


def write(path: Path, document: Document, heading: str) -> None:
    """Write the document, unless the file has one with the same meaning, perhaps with comments."""
    if path.exists():
        written, faults = _checked(path)
        if not faults and is_same(written, document):
            return
    write_whole(path, heading + text_of(document))


def text_of(document: Document) -> str:
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=UNBROKEN)


def _paths(directory: Path) -> Sequence[Path]:
    found = (each for each in directory.rglob("*") if each.suffix in SUFFIXES)
    return sorted(each for each in found if not any(map(_is_hidden, each.relative_to(directory).parent.parts)))


def _is_hidden(name: str) -> bool:
    return name.startswith(".")


def _checked(path: Path) -> tuple[Any, Sequence[str]]:
    """Return the document and its faults."""
    return checked(path, lambda document: faults_of(document, DOCUMENT))


def checked(path: Path, faults: Callable[[Any], Iterable[str]]) -> tuple[Any, Sequence[str]]:
    """Return what the file has and its faults: YAML's, or those that the function finds."""
    try:
        document = parsed(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        return None, [str(error)]
    return document, list(faults(document))


def faults_of(document: Any, type_: GraphQLInputType) -> Iterator[str]:
    """Yield where the document isn't a value of the input type, as it is written: without GraphQL's coercion."""
    found: list[str] = []

    def add(error: GraphQLError, path: Sequence[str | int]) -> None:
        where = ".".join(map(str, path))
        found.append(f"{where}: {error.message}" if where else error.message)

    validate_input_value(document, type_, add)
    yield from found or _strict_faults(document, type_, "")


def _strict_faults(value: Any, type_: GraphQLInputType, where: str) -> Iterator[str]:
    """Yield lists of a valid document that GraphQL would make of one value, and texts that no request can have."""
    type_ = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
    match value:
        case list() if isinstance(type_, GraphQLList):
            for index, each in enumerate(value):
                yield from _strict_faults(each, type_.of_type, f"{where}{index}.")
        case None:
            return
        case _ if isinstance(type_, GraphQLList):
            yield f"{where.removesuffix('.')}: Must be a list, even of one value."
        case dict() if isinstance(type_, GraphQLInputObjectType):
            for name, each in value.items():
                yield from _strict_faults(each, type_.fields[name].type, f"{where}{name}.")
        case str():
            yield from (f"{where.removesuffix('.')}: {problem.message}" for problem in ANY_TEXT.check(value, ()))


def new_path(directory: Path, job_key: str) -> Path:
    """Return the path for a job that has no file. Raises `BadFiles` if the key would lead to another file."""
    path = directory / f"{job_key}.yaml"
    if any(limits.JOB_KEY.check(job_key, ())):
        raise BadFiles([f"The server sent a job with the key {job_key!a:.200}, which isn't one."])
    if path.exists():
        raise BadFiles([f"{path} isn't the file of the job {job_key}. Rename it."])
    return path


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as blocks, those that look like numbers in quotes, and indents lists."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002 PyYAML's hook
        super().increase_indent(flow, indentless=False)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    has_odd_breaks = any(each in text for each in ODD_BREAKS)
    style = '"' if has_odd_breaks else "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)
_Dumper.add_implicit_resolver("tag:yaml.org,2002:float", NUMBER, list("-+.0123456789"))
