"""Applies what a verified token says: it may make its subject a member, and its groups give roles."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog

from mainsheet.models.database import Database
from mainsheet.models.errors import BadInput, Refused
from mainsheet.models.roles import OrganizationRole
from mainsheet.resolvers.caller import Caller
from mainsheet.resolvers.commands.sign_in import SIGN_IN
from mainsheet.resolvers.mutation import Call
from mainsheet.server.auth.oidc import Subject

log = structlog.stdlib.get_logger("mainsheet.authentication")


@dataclass(frozen=True)
class SignIn:
    """Writes at most once for each token of a member."""

    database: Database

    def may_create(self, subject: Subject) -> bool:
        allowed = subject.issuer.create_members
        return allowed is not None and allowed.allow(subject.email, subject.claims)

    def is_due(self, subject: Subject, groups_as_of: datetime | None) -> bool:
        """Whether the token was issued after the one whose groups gave the member's roles."""
        return subject.roles is not None and (groups_as_of is None or subject.issued_at > groups_as_of)

    async def apply(self, subject: Subject) -> None:
        """Create the member if there is none and the issuer may create members, and set the roles.

        Raises `Unavailable` if the database fails.
        """
        try:
            answer = await self._signed_in(subject)
        except (BadInput, Refused) as error:
            log.warning("sign-in refused", reason=str(error))
            return
        if answer["unknown_team_ids"]:
            teams = answer["unknown_team_ids"]
            log.warning("groups give roles in teams that don't exist", issuer=subject.issuer.issuer, teams=teams)
        if answer["is_last_administrator"]:
            log.warning("the last administrator keeps the role, against the groups", member_id=answer["member_id"])

    async def _signed_in(self, subject: Subject) -> Mapping[str, Any]:
        issuer = subject.issuer
        values = {
            "email": subject.email,
            "name": subject.name,
            "issuer": issuer.issuer,
            "may_create": self.may_create(subject),
            "roles": subject.roles,
            "issued_at": subject.issued_at,
            "message": f"Signed in by {issuer.issuer}",
        }
        caller = Caller("", issuer.organization, OrganizationRole.ADMIN)
        outcome = await Call(self.database, caller, SIGN_IN, values, request={}).perform()
        if outcome.problems:
            raise Refused(outcome.problems)
        return outcome.answer
