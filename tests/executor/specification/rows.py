"""The data of the schema: rows, batches, and resolvers that call them for one parent."""

from collections.abc import Mapping, Sequence
from typing import Any

import strawberry
from strawberry.scalars import JSON
from strawberry.types import Info


class Row:
    """A database row: attributes, which are null unless given."""

    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)

    def __getattr__(self, name: str) -> None:
        if name.startswith("__"):
            raise AttributeError(name)


async def by_keys(store: Mapping[str, Any], keys: Sequence[str]) -> Mapping[str, Any]:
    return {key: store[key] for key in keys if key in store}


async def failing(store: Mapping[str, Any], keys: Sequence[str]) -> Mapping[str, Any]:
    raise RuntimeError("the batch fails")


async def multiples(store: Mapping[str, Any], keys: Sequence[int], times: int) -> Mapping[int, int]:
    return {key: key * times for key in keys}


async def texts(store: Mapping[str, Any], keys: Sequence[int], value: Any) -> Mapping[int, Any]:
    return {key: repr(value) for key in keys}


def id_alone(*, id: strawberry.ID) -> str:
    if id == "refused":
        raise ValueError("this id is refused")
    return id


def factor(*, times: int = 2) -> int:
    if times < 0:
        raise ValueError("below zero")
    return times


def multiple(root: Any, info: Info, times: int = 2) -> Any:
    return info.context.load(multiples, root.int, factor(times=times))


def tenfold(root: Any, info: Info, times: int = 10) -> Any:
    return info.context.load(multiples, root.int, times)


def found(root: Any, info: Info, id: strawberry.ID) -> Any:
    return info.context.load(by_keys, id_alone(id=id))


def text(root: Any, info: Info, value: JSON) -> Any:
    return info.context.load(texts, root.int, value)
