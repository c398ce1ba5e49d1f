"""Sorts items after those that they depend on."""

from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import TypeVar

T = TypeVar("T", int, str)


def in_order(needed: Mapping[T, Sequence[T]]) -> tuple[list[T], list[list[T]]]:
    """Return the items after those that they need, and the cycles, each with its first item at its end, too.

    The items of cycles come last. The order of those that need one of them doesn't depend on it.
    """
    cycles: list[list[T]] = []
    left = needed
    while True:
        try:
            order = list(TopologicalSorter(left).static_order())
        except CycleError as error:
            cycle: list[T] = error.args[1]
            cycles.append(cycle)
            left = {key: [each for each in keys if each not in cycle] for key, keys in left.items() if key not in cycle}
        else:
            return order + [each for cycle in cycles for each in cycle[1:]], cycles
