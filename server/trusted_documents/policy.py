"""Decides which document a request runs, by its text, its id or its hash, and whether the caller may run it."""

import re
from dataclasses import dataclass, replace
from http import HTTPStatus

from graphql import GraphQLError

from mainsheet.models.instrumentation import Instrumentation, UntrustedDocument
from mainsheet.models.roles import AccessScope
from mainsheet.resolvers.caller import Caller
from mainsheet.server.errors import Code, InvalidOperation, RateLimited, RequestError
from mainsheet.server.http.request import GraphQLRequest
from mainsheet.server.job_files.export import JOBS, ORGANIZATION
from mainsheet.server.job_files.plan import APPLY, DIFFERENCES
from mainsheet.server.operations.introspection import is_introspection
from mainsheet.server.operations.operation_store import OperationStore
from mainsheet.server.settings import DocumentMode
from mainsheet.server.trusted_documents.lookup import TrustedDocuments
from mainsheet.server.trusted_documents.manifest import HASHED, hash_of

UNKNOWN_HASH = "PersistedQueryNotFound"  # Apollo's protocol: some clients compare the message
OPERATION_NAME = re.compile(r"\b(?:query|mutation|subscription)\s+([A-Za-z_]\w*)")
# The documents of the commands that any token may use; those for administrators have the scope ADMIN.
OWN = frozenset(hash_of(each) for each in (ORGANIZATION, JOBS, APPLY, DIFFERENCES))
SEARCHED = 1_000  # characters of a document, for the name of its first operation


@dataclass(frozen=True)
class DocumentPolicy:
    mode: DocumentMode
    free_scopes: frozenset[AccessScope]  # tokens with one of these may run any document
    public_introspection: bool
    trusted: TrustedDocuments
    operations: OperationStore
    instrumentation: Instrumentation

    async def resolved(self, caller: Caller, request: GraphQLRequest) -> GraphQLRequest:
        """Return the request with the text of its document.

        Raises `InvalidOperation` if the document isn't known or isn't trusted, `RequestError` if the hash isn't that of
        the text, and `RateLimited`.
        """
        if request.is_resolved or (self.mode == "any" and request.document_id is None and request.hash is None):
            return request
        hash_ = (request.hash or "").removeprefix(HASHED)  # GraphQL Code Generator writes the prefix
        text = request.query or self.operations.text_of(hash_) or ""
        if not text and (request.document_id or request.hash):
            text = await self._named(caller, request)
            return replace(request, query=text, hash=None, is_resolved=True)
        if hash_ and request.query and hash_ != hash_of(text):
            raise RequestError(HTTPStatus.BAD_REQUEST, "The `sha256Hash` isn't that of the document.")
        if not self._is_free(caller):
            await self._check(caller, replace(request, query=text))
        # In the mode `trusted`, no client may register a document under its hash.
        return replace(request, query=text, hash=None if self.mode == "trusted" else hash_, is_resolved=True)

    async def _named(self, caller: Caller, request: GraphQLRequest) -> str:
        """Return the trusted document that the request names, or refuse the request."""
        # In other modes, clients of Apollo's protocol try each hash once, and send the text then.
        is_guess = request.document_id is not None or self.mode == "trusted"
        text = await self.trusted.text(caller, request.document_id or request.hash or "", is_guess=is_guess)
        if text is not None:
            return text
        if request.document_id is not None:
            self._report(request.document_id, request, is_refused=True)
            message = f"This server has no document with the id {request.document_id!a:.100}."
            raise InvalidOperation(Code.PERSISTED_QUERY_NOT_FOUND, [GraphQLError(message)])
        if self.mode == "trusted" and not self._is_free(caller):
            hash_ = (request.hash or "").removeprefix(HASHED)
            self._report(hash_, request, is_refused=True)
            raise _not_trusted(hash_)  # at once: the client would send the text in vain
        raise InvalidOperation(Code.PERSISTED_QUERY_NOT_FOUND, [GraphQLError(UNKNOWN_HASH)])

    def _is_free(self, caller: Caller) -> bool:
        return self.mode == "any" or not self.free_scopes.isdisjoint(caller.scopes)

    async def _check(self, caller: Caller, request: GraphQLRequest) -> None:
        """Report a document that isn't trusted, and refuse it if the mode is `trusted`."""
        hash_, is_refused = hash_of(request.query), self.mode == "trusted"
        try:
            is_trusted = hash_ in OWN or await self._has_text(caller, hash_, is_guess=is_refused)
        except RateLimited:
            if is_refused:
                raise
            return  # the mode `log` refuses nothing, and doesn't know whether it is trusted
        if is_trusted or (self.public_introspection and is_introspection(request)):
            return
        self._report(hash_, request, is_refused=is_refused)
        if is_refused:
            raise _not_trusted(hash_)

    def _report(self, id_: str, request: GraphQLRequest, *, is_refused: bool) -> None:
        name = request.operation_name or _first_name(request.query)
        self.instrumentation.untrusted(UntrustedDocument(id_, name, request.client, is_refused))

    async def _has_text(self, caller: Caller, hash_: str, *, is_guess: bool) -> bool:
        return await self.trusted.text(caller, HASHED + hash_, is_guess=is_guess) is not None


def _not_trusted(hash_: str) -> InvalidOperation:
    message = "This server runs only documents that its operator has added, and this one isn't among them."
    extensions = {"documentId": f"{HASHED}{hash_:.64}"}
    return InvalidOperation(Code.DOCUMENT_NOT_TRUSTED, [GraphQLError(message, extensions=extensions)])


def _first_name(text: str) -> str:
    found = OPERATION_NAME.search(text[:SEARCHED])
    return found[1] if found else ""
