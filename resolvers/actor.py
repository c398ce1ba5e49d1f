"""Members and service accounts by id, of one kind or of both."""

from collections.abc import Mapping, Sequence

from sqlalchemy import select

from mainsheet.models.actor import Actor, ActorKind
from mainsheet.resolvers.sql.array_param import KEYS, among
from mainsheet.resolvers.sql.snapshot import Read, batch
from mainsheet.resolvers.sql.statement import Statement, View, rows_of

COLUMNS = Actor.__table__.c


@batch(is_one_statement=True)
async def by_ids(read: Read, ids: Sequence[str]) -> Mapping[str, Actor]:
    return await read.keyed(_by_ids, keys=ids)


def select_actors(view: View, kind: ActorKind, *needed: str) -> Statement:
    return select(*view.only(COLUMNS, *needed)).where(COLUMNS.kind == kind)


@rows_of(Actor)
def _by_ids(view: View) -> Statement:
    own = COLUMNS.organization_id == view.caller.organization_id
    return select(*view.only(COLUMNS)).where(among(COLUMNS.id, KEYS), own)
