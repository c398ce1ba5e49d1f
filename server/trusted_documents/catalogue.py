"""Adds, lists and removes trusted documents, for the command line."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, insert, select, text, true
from sqlalchemy.ext.asyncio import AsyncConnection

from mainsheet.models.clock import read_clock
from mainsheet.models.database import Database
from mainsheet.models.errors import BadInput
from mainsheet.models.trusted_document import MOST_DOCUMENTS, TrustedDocument, TrustedDocumentClient
from mainsheet.server.trusted_documents.manifest import Document

BATCH = 500  # SQLite limits the parameters of a statement
RECENTLY = timedelta(days=7)
SHOWN = 10
LOCK = "LOCK TABLE trusted_document IN SHARE ROW EXCLUSIVE MODE"


@dataclass(frozen=True)
class Client:
    """A client's name and version; both, or the version, may be empty."""

    name: str = ""
    version: str = ""

    def __str__(self) -> str:
        return f"{self.name} {self.version}".strip()


@dataclass(frozen=True)
class Listed:
    id: str
    name: str
    clients: Sequence[Client]
    added_at: datetime
    last_used_at: datetime | None


async def add(database: Database, documents: Collection[Document], client: Client) -> int:
    """Add those documents that are new, and return their number. All are then documents of the client.

    Raises `BadInput` if an id stands for another text already: a client that has the id would get the wrong document.
    """
    async with database.writes.begin() as connection:
        await _lock(database, connection)
        stored = dict((await connection.execute(select(TrustedDocument.id, TrustedDocument.hash))).all())
        _check_ids(stored, documents)
        new = [each for each in documents if each.id not in stored]
        if len(stored) + len(new) > MOST_DOCUMENTS:
            raise BadInput(f"A server may have at most {MOST_DOCUMENTS:,} documents: remove old ones first.")
        now = await read_clock(connection)
        if new:
            await connection.execute(insert(TrustedDocument), [_row(each, now) for each in new])
        await _link(connection, [each.id for each in documents], client)
        return len(new)


def _check_ids(stored: Mapping[str, str], documents: Collection[Document]) -> None:
    taken = [each.id for each in documents if stored.get(each.id, each.hash) != each.hash]
    if taken:
        raise BadInput(f"Other documents have these ids, and nothing of the manifest was added: {_some(taken)}.")


def _row(document: Document, now: datetime) -> dict[str, object]:
    names = {"id": document.id, "hash": document.hash, "text": document.text, "name": document.name}
    return {**names, "added_at": now}


async def _link(connection: AsyncConnection, ids: Sequence[str], client: Client) -> None:
    linked = select(TrustedDocumentClient.document_id).where(_is(client.name, client.version))
    known = set((await connection.scalars(linked)).all())
    row = {"name": client.name, "version": client.version}
    if missing := [{"document_id": each, **row} for each in ids if each not in known]:
        await connection.execute(insert(TrustedDocumentClient), missing)


async def listing(database: Database) -> Sequence[Listed]:
    """Return all documents by name."""
    columns = [getattr(TrustedDocument, each) for each in ("id", "name", "added_at", "last_used_at")]
    own = (TrustedDocumentClient.document_id, TrustedDocumentClient.name, TrustedDocumentClient.version)
    clients: defaultdict[str, list[Client]] = defaultdict(list)
    async with database.reads.connect() as connection:
        for id_, name, version in await connection.execute(select(*own).order_by(*own)):
            clients[id_].append(Client(name, version))
        found = await connection.execute(select(*columns).order_by(TrustedDocument.name, TrustedDocument.id))
        return [Listed(row.id, row.name, clients[row.id], row.added_at, row.last_used_at) for row in found]


async def remove(database: Database, ids: Collection[str], *, even_if_used: bool = False) -> int:
    """Remove documents and return their number.

    Raises `BadInput` if an id is unknown, or if a document was recently used.
    """
    async with database.writes.begin() as connection:
        await _lock(database, connection)
        stored = set((await connection.scalars(select(TrustedDocument.id))).all())
        if unknown := sorted({*ids} - stored):
            raise BadInput(f"There are no documents with these ids, and nothing was removed: {_some(unknown)}.")
        await _remove(connection, {*ids}, even_if_used=even_if_used)
    return len({*ids})


async def remove_client(
    database: Database, name: str, version: str | None = None, *, even_if_used: bool = False
) -> int:
    """Remove a client, or one version of it, with the documents that no other one has. Return their number.

    Raises `BadInput` if there is no such client, or if such a document was recently used.
    """
    own = _is(name, version)
    links = select(TrustedDocumentClient.document_id)
    async with database.writes.begin() as connection:
        await _lock(database, connection)
        candidates = set((await connection.scalars(links.where(own))).all())
        if not candidates:
            raise BadInput(f"There are no documents of the client {Client(name, version or '')}.")
        kept = set((await connection.scalars(links.where(~own))).all())
        await connection.execute(delete(TrustedDocumentClient).where(own))
        await _remove(connection, candidates - kept, even_if_used=even_if_used)
    return len(candidates - kept)


async def _remove(connection: AsyncConnection, ids: Collection[str], *, even_if_used: bool) -> None:
    if not even_if_used:
        await _check_use(connection, ids)
    ordered = sorted(ids)
    for start in range(0, len(ordered), BATCH):
        batch = ordered[start : start + BATCH]
        await connection.execute(delete(TrustedDocument).where(TrustedDocument.id.in_(batch)))


async def _check_use(connection: AsyncConnection, ids: Collection[str]) -> None:
    since = await read_clock(connection) - RECENTLY
    recent = await connection.execute(
        select(TrustedDocument.id, TrustedDocument.name).where(TrustedDocument.last_used_at >= since)
    )
    if used := [f"{row.name} ({row.id})" for row in recent if row.id in ids]:
        raise BadInput(
            f"Documents were used in the last {RECENTLY.days} days, and nothing was removed: {_some(used)}."
            " Use --force to remove them: the clients that use them then fail."
        )


def _is(name: str, version: str | None) -> ColumnElement[bool]:
    is_version = true() if version is None else TrustedDocumentClient.version == version
    return (TrustedDocumentClient.name == name) & is_version


def _some(values: Sequence[str]) -> str:
    more = f" and {len(values) - SHOWN:,} more" if len(values) > SHOWN else ""
    return ", ".join(values[:SHOWN]) + more


async def _lock(database: Database, connection: AsyncConnection) -> None:
    """Let no other command change the documents meanwhile. SQLite has one writer anyway."""
    if not database.is_sqlite:
        await connection.execute(text(LOCK))
