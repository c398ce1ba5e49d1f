from collections.abc import Iterable

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, declared_attr, mapped_column, relationship

from mainsheet.models.base import Base, Id, sorted_text, tenant


class JobTag(Base):
    """A tag of a job: a short text by which lists are filtered."""

    __tablename__ = "job_tag"

    organization_id: Mapped[Id]
    job_id: Mapped[Id] = mapped_column(primary_key=True)
    tag: Mapped[str] = mapped_column(sorted_text(63), primary_key=True)

    __table_args__ = (
        tenant("job_id", "job", ondelete="CASCADE"),
        Index("ix_job_tag_organization_tag", "organization_id", "tag", "job_id"),
    )


class Tagged:
    """A job's tags. `tag_rows` must be loaded before they are read or set: few commands need them."""

    organization_id: Mapped[Id]

    @declared_attr
    @classmethod
    def tag_rows(cls) -> Mapped[list[JobTag]]:
        return relationship(cascade="all, delete-orphan", lazy="raise", passive_deletes=True)

    @property
    def tags(self) -> list[str]:
        return sorted(each.tag for each in self.tag_rows)

    @tags.setter
    def tags(self, tags: Iterable[str]) -> None:
        """Keep the rows of tags that stay."""
        rows = {each.tag: each for each in self.tag_rows}
        new = [rows.get(tag) or JobTag(organization_id=self.organization_id, tag=tag) for tag in sorted(set(tags))]
        self.tag_rows = new
