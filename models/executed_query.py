"""The saved queries that runs execute, as they were when a worker claimed the run.

Both outlive the saved query. A text is stored once for each revision, whatever the number of runs.
"""

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from mainsheet.models.base import Base, Id, Name, tenant


class SavedQueryRevision(Base):
    __tablename__ = "saved_query_revision"

    saved_query_id: Mapped[Id] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    organization_id: Mapped[Id] = mapped_column(ForeignKey("organization.id"))
    name: Mapped[Name]
    sql: Mapped[str] = mapped_column(String(8191))

    __table_args__ = (Index("ix_saved_query_revision_organization", "organization_id"),)


class ExecutedQuery(Base):
    __tablename__ = "executed_query"

    run_id: Mapped[Id] = mapped_column(primary_key=True)
    attempt: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    organization_id: Mapped[Id]
    saved_query_id: Mapped[Id]
    revision: Mapped[int]

    __table_args__ = (
        tenant("run_id", "job_run", ondelete="CASCADE"),
        ForeignKeyConstraint(
            ["saved_query_id", "revision"], ["saved_query_revision.saved_query_id", "saved_query_revision.revision"]
        ),
        Index("ix_executed_query_revision", "saved_query_id", "revision"),
    )
