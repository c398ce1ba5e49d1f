"""Applies what a verified token says: it may make its subject a member, and its groups give roles."""

from asyncio import Lock
from collections.abc import Mapping
from datetime import datetime
from time import monotonic
from typing import Any
from weakref import WeakValueDictionary

import structlog
from cachetools import TTLCache

from mainsheet.models.database import Database
from mainsheet.models.errors import BadInput, Refused
from mainsheet.models.roles import OrganizationRole
from mainsheet.resolvers.caller import Caller
from mainsheet.resolvers.commands.sign_in import SIGN_IN
from mainsheet.resolvers.mutation import Call
from mainsheet.server.auth.oidc import Subject
from mainsheet.server.operations.buckets import Clock

REFUSED_SECONDS = 60  # how long it is remembered that a subject can't become a member
MOST_REFUSED = 10_000

log = structlog.stdlib.get_logger("mainsheet.authentication")


class SignIn:
    """Writes at most once for each token of a member, and for one member of an organization at a time.

    It tries once a minute to create a member who is refused, as each try locks the organization.
    """

    def __init__(self, database: Database, clock: Clock = monotonic) -> None:
        self._database = database
        self._refused: TTLCache[tuple[str, str], bool] = TTLCache(MOST_REFUSED, REFUSED_SECONDS, clock)
        self._locks: WeakValueDictionary[str, Lock] = WeakValueDictionary()

    def may_create(self, subject: Subject) -> bool:
        allowed = subject.issuer.create_members
        if allowed is None or not allowed.allow(subject.email, subject.claims):
            return False
        return _key(subject) not in self._refused

    def is_due(self, subject: Subject, groups_as_of: datetime | None) -> bool:
        """Whether the token was issued after the one whose groups gave the member's roles."""
        return subject.roles is not None and (groups_as_of is None or subject.issued_at > groups_as_of)

    async def apply(self, subject: Subject, *, is_new: bool) -> None:
        """Create the member if there is none and the issuer may create members, and set the roles.

        `is_new` if there was no member. Raises `Unavailable` if the database fails.
        """
        async with self._locks.setdefault(subject.issuer.organization, Lock()):
            if not is_new or self.may_create(subject):  # otherwise it was refused while this waited
                await self._apply(subject)

    async def _apply(self, subject: Subject) -> None:
        may_create = self.may_create(subject)
        try:
            answer = await self._signed_in(subject, may_create=may_create)
        except (BadInput, Refused) as error:
            log.warning("sign-in refused", reason=str(error))
            if may_create:
                self._refused[_key(subject)] = True
            return
        if answer["unknown_team_ids"]:
            teams = answer["unknown_team_ids"]
            log.warning("groups give roles in teams that don't exist", issuer=subject.issuer.issuer, teams=teams)
        if answer["is_last_administrator"]:
            log.warning("the last administrator keeps the role, against the groups", member_id=answer["member_id"])

    async def _signed_in(self, subject: Subject, *, may_create: bool) -> Mapping[str, Any]:
        issuer = subject.issuer
        values = {
            "email": subject.email,
            "name": subject.name,
            "issuer": issuer.issuer,
            "may_create": may_create,
            "roles": subject.roles,
            "issued_at": subject.issued_at,
            "message": f"Signed in by {issuer.issuer}",
        }
        caller = Caller("", issuer.organization, OrganizationRole.ADMIN)
        outcome = await Call(self._database, caller, SIGN_IN, values, request={}).perform()
        if outcome.problems:
            raise Refused(outcome.problems)
        return outcome.answer


def _key(subject: Subject) -> tuple[str, str]:
    return subject.issuer.organization, subject.email
