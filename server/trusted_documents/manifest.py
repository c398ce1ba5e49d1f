"""Reads manifests, the files in which the tools of clients list documents with their ids.

These are Apollo's `persisted-query-manifest.json` and its older form, an object of operations by id; and the objects of
texts by id that GraphQL Code Generator and the Relay compiler write. An id may be any hash of the text, or none.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from graphql import OperationDefinitionNode

from mainsheet.models.errors import BadInput
from mainsheet.models.limits import storable
from mainsheet.models.trusted_document import LONGEST_ID, MOST_BYTES
from mainsheet.server.errors import InvalidOperation
from mainsheet.server.operations.documents import parsed
from mainsheet.server.operations.operation_store import OperationStore

APOLLO, APOLLO_VERSION = "apollo-persisted-query-manifest", 1
TEXTS = ("body", "source", "document", "text")  # the names that a text has in an entry of several tools
HASHED = "sha256:"  # the prefix of an id that must be the text's hash (GraphQL over HTTP, "Persisted Documents")
ID = re.compile(rf"{HASHED}[0-9a-f]{{64}}|(?:x-[!-9;-~]+:)?[!-9;-~]+")
ANONYMOUS = "(anonymous)"
LONGEST_NAME = 255


@dataclass(frozen=True)
class Document:
    id: str
    text: str
    name: str  # of its operations

    @property
    def hash(self) -> str:
        return hash_of(self.text)


def hash_of(text: str) -> str:
    return sha256(text.encode()).hexdigest()


async def read(content: bytes, store: OperationStore) -> Sequence[Document]:
    """Return the documents of a manifest, of which each is valid for the store's schema and limits.

    Raises `BadInput` with a line for each fault.
    """
    found: dict[str, Document] = {}
    faults: list[str] = []
    for id_, text in _entries(content):
        if fault := _fault(id_, text):
            faults.append(fault)
        elif id_ in found and found[id_].text != text:
            faults.append(f"{id_}: two documents have this id.")
        else:
            try:
                found[id_] = Document(id_, text, await _name(text, store))
            except InvalidOperation as error:
                faults += [f"{id_}: {each.message}" for each in error.errors]
            except RecursionError:
                faults.append(f"{id_}: its fields or values are nested too deeply.")
    if faults:
        raise BadInput("\n".join(["The manifest has faults, and nothing of it was added:", *faults]))
    return list(found.values())


def _entries(content: bytes) -> Iterator[tuple[Any, Any]]:
    try:
        manifest = json.loads(content, object_pairs_hook=_object)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"The manifest isn't valid JSON: {error}.") from None
    if isinstance(manifest, dict) and isinstance(manifest.get("operations"), list):
        kind = manifest.get("format", APOLLO), manifest.get("version", APOLLO_VERSION)
        if kind != (APOLLO, APOLLO_VERSION):
            raise BadInput(f"The manifest's format must be {APOLLO}, version {APOLLO_VERSION}.")
        manifest = manifest["operations"]
    if isinstance(manifest, list):
        yield from ((each.get("id"), _text(each)) if isinstance(each, dict) else (None, None) for each in manifest)
    elif isinstance(manifest, dict):
        yield from ((id_, _text(each)) for id_, each in manifest.items())
    else:
        raise BadInput("The manifest must be an object, or a list of operations.")


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object. Raises `BadInput` if a name has two values, of which parsers take the last one."""
    made: dict[str, Any] = {}
    for name, value in pairs:
        if made.setdefault(name, value) != value:
            raise BadInput(f"The manifest has {name!a:.80} twice, with different values.")
    return made


def _text(entry: Any) -> Any:
    if isinstance(entry, Mapping):
        return next((entry[name] for name in TEXTS if name in entry), None)
    return entry


def _fault(id_: Any, text: Any) -> str | None:
    if not isinstance(id_, str) or not isinstance(text, str):
        return f"{id_!s:.80}: an entry needs an id and a text."
    if len(id_) > LONGEST_ID or not ID.fullmatch(id_):
        return f"{id_!a:.80}: an id has at most {LONGEST_ID} ASCII characters, without spaces and colons."
    if not storable(text):
        return f"{id_}: the document has a character that can't be stored."
    if len(text.encode()) > MOST_BYTES:
        return f"{id_}: a document may have at most {MOST_BYTES} bytes."
    if id_.startswith(HASHED) and id_ != HASHED + hash_of(text):
        return f"{id_}: this isn't the SHA-256 of the document, which is {hash_of(text)}."
    return None


async def _name(text: str, store: OperationStore) -> str:
    """Return the names of the document's operations. Raises `InvalidOperation` if one of them can't be run."""
    document = parsed(text, store.limits.tokens)
    nodes = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
    names = [each.name.value if each.name else None for each in nodes] or [None]
    for name in names:
        await store.get(text, name)
    return ", ".join(each or ANONYMOUS for each in names)[:LONGEST_NAME]
