# Appended to `mainsheet.models.tables`.
from sqlalchemy import Column, Index, Integer, String, Table
from sqlalchemy.orm import mapped_column

from mainsheet.models.base import Base
from mainsheet.models.job import Job

Job.colour = mapped_column(String(7), default="#0b7a75")
Job.weight = mapped_column(Integer, server_default="1", nullable=False)
Index("ix_job_colour", Job.__table__.c.colour)
Table("label", Base.metadata, Column("id", String(20), primary_key=True), Column("name", String(63), nullable=False))
Job.__table__.c.job_key.type = String(100).with_variant(String(200, collation="C"), "postgresql")
