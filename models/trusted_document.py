"""Trusted documents: GraphQL documents that the operator of a server has added.

They belong to the server and not to an organization: a frontend is deployed for all organizations. A document gives no
rights, and no organization can add one.
"""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from mainsheet.models.base import Base, Name, sorted_text

LONGEST_ID = 255
MOST_BYTES = 100_000  # of a document, in UTF-8
MOST_DOCUMENTS = 20_000


class TrustedDocument(Base):
    """A document with the id that its manifest gives it. `hash` is the text's SHA-256 in hexadecimal digits."""

    __tablename__ = "trusted_document"

    id: Mapped[str] = mapped_column(sorted_text(LONGEST_ID), primary_key=True)
    hash: Mapped[str] = mapped_column(String(64))
    text: Mapped[str] = mapped_column(Text)
    name: Mapped[Name]  # of its operations
    added_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]

    __table_args__ = (Index("ix_trusted_document_hash", "hash"),)


class TrustedDocumentClient(Base):
    """A client's version whose manifest has the document. Its name and version are empty if none were given."""

    __tablename__ = "trusted_document_client"

    document_id: Mapped[str] = mapped_column(
        sorted_text(LONGEST_ID), ForeignKey("trusted_document.id", ondelete="CASCADE"), primary_key=True
    )
    name: Mapped[Name] = mapped_column(primary_key=True)
    version: Mapped[Name] = mapped_column(primary_key=True)
