"""A minimal schema for the executor: relations as batches, and a context that remembers."""

from asyncio import Future, shield
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

import strawberry
from strawberry.dataloader import DataLoader
from strawberry.types import Info

from mainsheet.executor import RELATION

Batch = Callable[..., Any]


@dataclass
class Context:
    """The context of one operation. `store` is the database; `asked` records each call of a batch with its keys."""

    store: Mapping[str, Any]
    asked: list[tuple[str, list[Any]]] = field(default_factory=list)
    called: list[str] = field(default_factory=list)
    _known: dict[Any, dict[Any, Any]] = field(default_factory=dict)
    _loaders: dict[Any, DataLoader[Any, Any]] = field(default_factory=dict)

    async def load_all(self, batch: Batch, keys: Sequence[Any], *question: Any) -> Mapping[Any, Any]:
        known = self._known.setdefault((batch, repr(question)), {})
        missing = [key for key in keys if key not in known]
        if missing:
            self.asked.append((batch.__name__, missing))
            known.update(await batch(self.store, missing, *question))
        return known

    def load(self, batch: Batch, key: Any, *question: Any) -> "Future[Any]":
        async def load(keys: list[Any]) -> list[Any]:
            found = await self.load_all(batch, keys, *question)
            return [found.get(key) for key in keys]

        loader = self._loaders.setdefault((batch, repr(question)), DataLoader(load))
        answer: Future[Any] = loader.load(key)  # type: ignore[assignment]  # declared as any awaitable
        answer.add_done_callback(lambda done: done.cancelled() or done.exception())
        return shield(answer)


@dataclass(frozen=True)
class Relation:
    batch: Batch
    key: str | None
    arguments: Callable[..., Any] | None = None
    join: str | None = None
    joins: frozenset[str] = frozenset()
    is_one_statement: bool = False

    def question(self, **arguments: Any) -> Any:
        assert self.arguments
        return self.arguments(**arguments)

    async def answers(
        self, context: Context, keys: Sequence[Any], *question: Any, attributes: Any = None, **more: Any
    ) -> Mapping[Any, Any]:
        return await context.load_all(self.batch, keys, *question)


def related(batch: Batch, type_: Any, key: str, name: str | None = None) -> Any:
    """Return a field with the batch's result for the key in the parent's attribute of this name."""
    key_of = attrgetter(key)

    def resolve(root: Any, info: Info) -> Any:
        found = key_of(root)
        return None if found is None else info.context.load(batch, found)

    return strawberry.field(resolver=resolve, graphql_type=type_, name=name, metadata={RELATION: Relation(batch, key)})


def asked(resolve: Callable[..., Any], batch: Batch, key: str | None, type_: Any, arguments: Callable[..., Any]) -> Any:
    """Return a field with arguments, which are the key or the batch's question."""
    metadata = {RELATION: Relation(batch, key, arguments)}
    return strawberry.field(resolver=resolve, graphql_type=type_, metadata=metadata)
