from collections.abc import Mapping, Sequence

from sqlalchemy import select

from mainsheet.models.organization import Organization
from mainsheet.resolvers.sql.array_param import KEYS, among
from mainsheet.resolvers.sql.snapshot import Read, batch
from mainsheet.resolvers.sql.statement import Statement, View, rows_of

COLUMNS = Organization.__table__.c


@batch(is_one_statement=True)
async def by_ids(read: Read, ids: Sequence[str]) -> Mapping[str, Organization]:
    return await read.keyed(_by_ids, keys=ids)


@rows_of(Organization)
def _by_ids(view: View) -> Statement:
    own = Organization.id == view.caller.organization_id
    return select(*view.only(COLUMNS)).where(among(Organization.id, KEYS), own)
