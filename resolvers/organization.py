from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, select

from models.organization import Organization
from resolvers.keys import among
from resolvers.read import Read


async def by_ids(read: Read, ids: Sequence[str]) -> Mapping[str, Row[Any]]:
    rows = select(*Organization.__table__.c).where(
        among(Organization.id, ids), Organization.id == read.caller.organization_id
    )
    return await read.keyed(rows)
