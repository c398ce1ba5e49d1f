from asyncio import Future
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from strawberry.dataloader import DataLoader

from models.database import Database
from resolvers.caller import Caller
from resolvers.read import Read

Batch = Callable[..., Awaitable[Mapping[Any, Any]]]


class Context:
    """What one operation shares: the caller, the snapshot, and a loader for each batch and its arguments."""

    def __init__(self, database: Database, caller: Caller) -> None:
        self.database = database
        self.caller = caller
        self.read = Read(database.reads, caller)
        self._loaders: dict[tuple[Batch, tuple[Any, ...]], DataLoader[Any, Any]] = {}

    def load(self, batch: Batch, key: Any, *arguments: Any) -> "Future[Any]":
        """Return the future of one key's answer; keys of the same batch and arguments are asked for together."""
        loader = self._loaders.get((batch, arguments))
        if loader is None:
            loader = self._loaders[batch, arguments] = DataLoader(self._load_fn(batch, arguments))
        return loader.load(key)  # type: ignore[return-value]  # declared as any awaitable, made by create_future

    async def look_at(self, read: Read) -> None:
        """Let what follows see another snapshot."""
        await self.close()
        self.read = read
        self._loaders.clear()

    async def close(self) -> None:
        await self.read.close()

    def _load_fn(self, batch: Batch, arguments: tuple[Any, ...]) -> Callable[[list[Any]], Awaitable[Sequence[Any]]]:
        async def load(keys: list[Any]) -> Sequence[Any]:
            answers = await batch(self.read, keys, *arguments)
            return [answers.get(key) for key in keys]

        return load
