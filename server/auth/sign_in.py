"""Applies what a verified token says: it may make its subject a member, and its groups give roles."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
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

MOST_MEMBERS = 10_000  # that one process remembers

log = structlog.stdlib.get_logger("mainsheet.authentication")


@dataclass(frozen=True)
class SignIn:
    """Remembers the groups that it applied for each member, so that other requests write nothing."""

    database: Database
    _applied: OrderedDict[str, tuple[datetime, frozenset[str]]] = field(default_factory=OrderedDict)

    def may_create(self, subject: Subject) -> bool:
        allowed = subject.issuer.create_members
        return allowed is not None and allowed.allow(subject.email, subject.claims)

    def is_due(self, subject: Subject, member_id: str, groups_as_of: datetime | None) -> bool:
        """Whether the token's groups may give other roles than the member has.

        They don't if a younger token gave the roles, or if another token with the same groups did. `groups_as_of` is
        when the token was issued that gave the present ones.
        """
        groups = subject.groups
        if not subject.issuer.groups or groups is None:
            return False
        if groups_as_of is None:
            return True
        return subject.issued_at > groups_as_of and self._applied.get(member_id) != (groups_as_of, groups)

    async def apply(self, subject: Subject) -> bool:
        """Create the member if there is none, and set the roles. Return False if the member can't be created.

        Raises `Unavailable` if the database fails.
        """
        try:
            answer = await self._signed_in(subject)
        except (BadInput, Refused) as error:
            log.warning("sign-in refused", reason=str(error))
            return False
        if answer["unknown_team_ids"]:
            log.warning(
                "groups name teams that don't exist", issuer=subject.issuer.issuer, teams=answer["unknown_team_ids"]
            )
        if answer["is_last_administrator"]:
            log.warning("the last administrator keeps the role, against the groups", member_id=answer["member_id"])
        if subject.groups is not None:
            self._remember(answer["member_id"], subject.issued_at, subject.groups)
        return True

    async def _signed_in(self, subject: Subject) -> Mapping[str, Any]:
        groups, issuer = subject.groups, subject.issuer
        values = {
            "email": subject.email,
            "name": subject.name,
            "issuer": issuer.issuer,
            "roles": issuer.roles(groups) if issuer.groups and groups is not None else None,
            "issued_at": subject.issued_at,
            "message": f"Signed in by {issuer.issuer}",
        }
        caller = Caller("", issuer.organization, OrganizationRole.ADMIN)
        outcome = await Call(self.database, caller, SIGN_IN, values, request={}).perform()
        if outcome.problems:
            raise Refused(outcome.problems)
        return outcome.answer

    def _remember(self, member_id: str, issued_at: datetime, groups: frozenset[str]) -> None:
        self._applied[member_id] = (issued_at, groups)
        self._applied.move_to_end(member_id)
        if len(self._applied) > MOST_MEMBERS:
            self._applied.popitem(last=False)
