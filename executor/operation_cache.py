"""A cache of prepared operations, bounded by their size."""

import math
from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class OperationCache(Generic[K, V]):
    """Keeps the most recently used operations, up to a total size in bytes and a number. Several threads may use it.

    `dropped` is called with the key of each operation that makes room for others, and must not use the cache.
    """

    def __init__(self, most_bytes: int, most: float = math.inf, dropped: Callable[[K], None] = lambda _: None) -> None:
        self._most_bytes = most_bytes
        self._most = most
        self._dropped = dropped
        self._operations: OrderedDict[K, tuple[V, Size]] = OrderedDict()
        self._lock = Lock()
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._operations)

    def __contains__(self, key: K) -> bool:
        return key in self._operations

    def get(self, key: K) -> V | None:
        with self._lock:
            found = self._operations.get(key)
            if found is None:
                return None
            self._operations.move_to_end(key)
            return found[0]

    def keep(self, key: K, operation: V, size: "Size") -> V:
        """Keep an operation and return it, or return the one that was kept in the meantime.

        One that is larger than the cache is returned, but not kept.
        """
        with self._lock:
            if key in self._operations:
                return self._operations[key][0]
            if size.bytes > self._most_bytes:
                return operation
            self._operations[key] = operation, size
            size.is_kept = True
            self.bytes += size.bytes
            self._make_room()
        return operation

    def grow(self, size: "Size", change: int) -> None:
        with self._lock:
            size.bytes += change
            if size.is_kept:
                self.bytes += change
                self._make_room()

    def _make_room(self) -> None:
        while self.bytes > self._most_bytes or len(self._operations) > self._most:
            key, (_, size) = self._operations.popitem(last=False)
            size.is_kept = False
            self.bytes -= size.bytes
            self._dropped(key)


class Size:
    """The estimated size of an operation in bytes. It grows with the operation's programs.

    It doesn't refer to the operation, which refers to it, so that a dropped operation is freed at once.
    """

    def __init__(self, cache: OperationCache[K, V], bytes_: int) -> None:
        self._grow = cache.grow
        self.bytes = bytes_
        self.is_kept = False

    def grow(self, change: int) -> None:
        self._grow(self, change)
