"""Mainsheet's tables as the stock server maps them: the columns it has use for, no relationships."""

from datetime import datetime

from sqlalchemy import DateTime, ScalarSelect, Text, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from strawberry import ID


class Base(DeclarativeBase):
    type_annotation_map = {datetime: DateTime(timezone=True), ID: Text()}  # noqa: RUF012


class Member(Base):
    __tablename__ = "actor"
    id: Mapped[ID] = mapped_column(primary_key=True)
    organization_id: Mapped[str]
    name: Mapped[str]


class Team(Base):
    __tablename__ = "team"
    id: Mapped[ID] = mapped_column(primary_key=True)
    organization_id: Mapped[str]
    name: Mapped[str]


class TeamMember(Base):
    __tablename__ = "team_member"
    team_id: Mapped[str] = mapped_column(primary_key=True)
    actor_id: Mapped[str] = mapped_column(primary_key=True)


class Cluster(Base):
    __tablename__ = "cluster"
    id: Mapped[ID] = mapped_column(primary_key=True)
    name: Mapped[str]
    status: Mapped[str]


class Job(Base):
    __tablename__ = "job"
    id: Mapped[ID] = mapped_column(primary_key=True)
    organization_id: Mapped[str]
    job_key: Mapped[str]
    description: Mapped[str | None]
    status: Mapped[str]
    current_number: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class JobTeam(Base):
    __tablename__ = "job_team"
    job_id: Mapped[str] = mapped_column(primary_key=True)
    team_id: Mapped[str] = mapped_column(primary_key=True)


class JobVersion(Base):
    __tablename__ = "job_version"
    id: Mapped[ID] = mapped_column(primary_key=True)
    job_id: Mapped[str]
    number: Mapped[int]
    status: Mapped[str]
    cluster_id: Mapped[ID]
    cron: Mapped[str | None]
    timezone: Mapped[str | None]
    published_at: Mapped[datetime | None]


class JobRun(Base):
    __tablename__ = "job_run"
    id: Mapped[ID] = mapped_column(primary_key=True)
    job_id: Mapped[str]
    status: Mapped[str]
    created_at: Mapped[datetime]


def organization_of(actor_id: str) -> ScalarSelect[str]:
    return select(Member.organization_id).where(Member.id == actor_id).scalar_subquery()
