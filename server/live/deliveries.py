"""Delivers events to groups: reads the feed by the list of `Query.events`, and executes the operation for each event.

A group of one caller reads the events that this caller sees. Several callers read all events together, and who sees one
is found out for all of them at once. Then one execution is enough for those whose rights are the same, as far as its
result depends on them (decision 37).
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from mainsheet.models.database import Database
from mainsheet.models.event import Event
from mainsheet.models.unavailable import NoConnection, TooSlow, Unavailable
from mainsheet.resolvers import event as event_rows
from mainsheet.resolvers.caller import Caller
from mainsheet.resolvers.event import EventListArguments
from mainsheet.resolvers.event_visibility import NO_RIGHTS, TeamRights, team_rights, viewers
from mainsheet.resolvers.permissions import seeing_all_jobs, sees_all_jobs
from mainsheet.resolvers.sql.pagination import cursor
from mainsheet.resolvers.sql.pagination.page_arguments import PageArguments
from mainsheet.resolvers.sql.pagination.paged_list import Page
from mainsheet.resolvers.sql.rights import Extent
from mainsheet.resolvers.sql.snapshot import Read
from mainsheet.server.errors import Code, RateLimited, RequestError
from mainsheet.server.live.execution import Execution
from mainsheet.server.live.group import Group
from mainsheet.server.observe.log_fields import identify
from mainsheet.server.operations.budget import Budget

PAGE = 100
RETRY_SECONDS = 1
MOST_TRIES = 60
MOST_OUTDATED = 3  # rounds of an event in which rights changed before an execution began

Class = tuple[TeamRights, Sequence[str]]  # actors with the same rights


class Deliveries:
    def __init__(self, database: Database, budget: Budget, separate: Callable[[Group, Collection[str]], None]) -> None:
        """`separate` moves the actors' subscribers that haven't got the present event to a group of their own."""
        self._database = database
        self._budget = budget
        self._separate = separate

    async def end_of_feed(self, group: Group) -> str:
        """Read it at once, not in the caller's turn: events that are stored before it is read aren't delivered."""
        caller = self._payer(group, group.callers)
        read = Read.of(self._database, caller)
        try:
            with self._budget.charged(caller):
                return await event_rows.end_of(read, [caller.organization_id])
        finally:
            await read.close()

    @asynccontextmanager
    async def _reading(self, caller: Caller) -> AsyncIterator[Read]:
        """Read as the caller, in its turn and at its expense."""
        async with self._budget.reading(caller):
            read = Read.of(self._database, caller)
            try:
                yield read
            finally:
                await read.close()

    async def deliver_new(self, group: Group) -> None:
        """Deliver all events after the group's cursor. Try again, some times, what the client would have to repeat."""
        tries = MOST_TRIES
        has_more = True
        while has_more:
            try:
                has_more = await self._deliver_page(group)
                tries = MOST_TRIES
            except (Unavailable, RequestError) as failure:
                tries -= 1
                if not tries or not _is_temporary(failure):
                    raise
                await asyncio.sleep(failure.retry_after if isinstance(failure, RateLimited) else RETRY_SECONDS)

    async def _deliver_page(self, group: Group) -> bool:
        """Deliver the next events. Return whether there may be more."""
        if group.is_empty:
            return False
        is_of_all = len(group.callers) > 1
        caller = self._payer(group, group.callers)
        page = await self._page(group, caller, is_of_all=is_of_all)
        if not is_of_all and group.callers.keys() != {caller.actor_id}:
            return True  # who has joined meanwhile may see other events
        for each in page.nodes:
            if group.is_empty:
                return False
            group.begin(each.id)
            if is_of_all:
                await self._share(group, each)
            else:
                await self._execute(group, Execution(each, caller, [caller.actor_id]))
            group.cursor = cursor.encode(Event.position, each.position, each.id)
        group.cursor = page.end_cursor
        return page.has_next_page

    async def _page(self, group: Group, caller: Caller, *, is_of_all: bool) -> Page[Event]:
        """Read the events after the group's cursor. The first cursor is a client's and may be of another database."""
        source = group.source
        arguments = EventListArguments(PageArguments(size=PAGE, after=group.cursor), source.filter, source.of_jobs)
        async with self._reading(seeing_all_jobs(caller) if is_of_all else caller) as read:
            if group.has_read:
                return await event_rows.after_recent(read, caller.organization_id, arguments)
            pages = await event_rows.of_organizations(read, [caller.organization_id], arguments)
        group.has_read = True
        return pages[caller.organization_id]

    async def _share(self, group: Group, event: Event) -> None:
        """Execute the operation once for all callers with the same rights, until all who see the event have it.

        Callers whose executions are refused, or take too long, go on in a group of their own, and don't hold up others.
        Those whose rights keep changing share nothing.
        """
        extent, outdated = group.extent, 0
        while group.pending:
            pending = group.pending_actors()
            classes = await self._classes(group, event, pending, extent)
            group.skip(pending.difference(*[actor_ids for _, actor_ids in classes]))
            has_outdated = False
            for rights, actor_ids in classes:
                present = [each for each in actor_ids if each in group.callers]
                if not present:
                    continue
                execution = Execution(event, self._payer(group, present), present, extent, rights)
                try:
                    await self._execute(group, execution)
                except (RequestError, TooSlow, NoConnection):
                    if len(present) == len(group.callers):
                        raise
                    self._separate(group, present)
                has_outdated |= execution.is_outdated
                if execution.needs > extent:  # the callers differ in more than was known
                    extent = execution.needs
                    group.extent = min(extent, Extent.ALL_ROLES)
                    break
            outdated += has_outdated
            if outdated == MOST_OUTDATED:
                extent = Extent.IDENTITY

    async def _execute(self, group: Group, execution: Execution) -> None:
        identify(replace(execution.caller, token_id=None))  # a result isn't of one token
        await group.deliver(await group.run(execution), execution.receivers)

    async def _classes(self, group: Group, event: Event, actor_ids: Collection[str], extent: Extent) -> Sequence[Class]:
        """Return those of the actors who see the event, by their rights as far as the results depend on them."""
        caller = self._payer(group, group.callers)  # all of the actors may be without budget
        if event.only_for_id is not None and not sees_all_jobs(caller):
            return [(NO_RIGHTS, [event.only_for_id])] if event.only_for_id in actor_ids else []
        async with self._reading(caller) as read:
            classes = await _by_rights(read, event, actor_ids, min(extent, Extent.ROLES))
            some = [own[0] for _, own in classes]
            seeing = await viewers(read, event.id, some, of_change=group.source.of_jobs)
            classes = [each for each in classes if each[1][0] in seeing]
            found = [each for _, own in classes for each in own]
            if extent is Extent.IDENTITY:
                return [(NO_RIGHTS, [each]) for each in found]
            return await _by_rights(read, event, found, extent) if extent is Extent.ALL_ROLES else classes

    def _payer(self, group: Group, actor_ids: Collection[str]) -> Caller:
        return group.payer(actor_ids, self._budget.may_spend)


async def _by_rights(read: Read, event: Event, actor_ids: Collection[str], extent: Extent) -> Sequence[Class]:
    rights = await team_rights(read, event.id, list(actor_ids), extent)
    found: defaultdict[TeamRights, list[str]] = defaultdict(list)
    for each in actor_ids:
        found[rights.get(each, NO_RIGHTS)].append(each)
    return list(found.items())


def _is_temporary(failure: Exception) -> bool:
    return not isinstance(failure, RequestError) or failure.code in {Code.RATE_LIMITED, Code.TIMEOUT}
