"""The operations that a schema keeps prepared."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from threading import Lock

from graphql import DocumentNode

from mainsheet.executor.prepared import Prepared

MOST_OPERATIONS = 256
MOST_BYTES = 256 * 1024 * 1024  # of these operations; estimated
BYTES = 2_000  # of any operation
BYTES_A_CHARACTER = 400  # of a document, by the length of its text; measured with tracemalloc where names are short


@dataclass(frozen=True, slots=True, eq=False)
class Key:
    """A document with the name of an operation and its text. Hashed by the text, since nodes don't cache their hash.

    Documents with equal nodes are one, if their texts are: the positions of errors are found in the text.
    """

    document: DocumentNode
    name: str | None
    text: str | None

    def __hash__(self) -> int:
        return hash((self.name, self.text))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Key) or (self.name, self.text) != (other.name, other.text):
            return False
        return self.document is other.document or self.document == other.document

    @property
    def weight(self) -> int:
        return BYTES + BYTES_A_CHARACTER * len(self.text or "")


@dataclass(eq=False, slots=True)
class _Size:
    """The estimated size of an operation in bytes. It doesn't refer to the operation, which refers to it."""

    bytes: int = 0
    is_kept: bool = False


Grew = Callable[[int], None]


class KeptOperations:
    """Keeps the most recently used operations, up to their number and size. It may be used by several threads.

    `prepare` makes an operation, or None if graphql-core has to refuse the document.
    """

    def __init__(self, prepare: Callable[[Key, Grew], Prepared | None]) -> None:
        self._prepare = prepare
        self._operations: OrderedDict[Key, tuple[Prepared | None, _Size]] = OrderedDict()
        self._lock = Lock()
        self.size = 0

    def __len__(self) -> int:
        return len(self._operations)

    def get(self, key: Key) -> Prepared | None:
        """Return the operation. Raises `RecursionError` if the document is nested too deeply."""
        with self._lock:
            found = self._operations.get(key)
            if found is not None:
                self._operations.move_to_end(key)
                return found[0]
        size = _Size(key.weight)
        operation = self._prepare(key, partial(self._grow, size))
        with self._lock:
            if key not in self._operations:  # otherwise another thread has prepared it, too
                self._operations[key] = operation, size
                size.is_kept = True
                self.size += size.bytes
                self._evict()
        return operation

    def _grow(self, size: _Size, change: int) -> None:
        with self._lock:
            size.bytes += change
            if size.is_kept:
                self.size += change
                self._evict()

    def _evict(self) -> None:
        while self.size > MOST_BYTES or len(self._operations) > MOST_OPERATIONS:
            _, size = self._operations.popitem(last=False)[1]
            size.is_kept = False
            self.size -= size.bytes
