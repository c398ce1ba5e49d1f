from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from models.organization import Organization
from resolvers.keys import KEYS, among
from resolvers.prepared import Statement, View
from resolvers.read import Read, batch

COLUMNS = Organization.__table__.c


@batch(is_one_statement=True)
async def by_ids(read: Read, ids: Sequence[str]) -> Mapping[str, Any]:
    return await read.keyed(_by_ids, keys=ids)


def _by_ids(view: View) -> Statement:
    own = Organization.id == view.caller.organization_id
    return select(*view.only(COLUMNS)).where(among(Organization.id, KEYS), own)
