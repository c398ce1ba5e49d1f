"""Believable data: two small organizations, and any number of generated jobs for one of them."""

from models.demo.fleet import seed_jobs
from models.demo.mould import NotSeeded
from models.demo.people import DEMO_MEMBERS
from models.demo.seed import seed_demo

__all__ = ["DEMO_MEMBERS", "NotSeeded", "seed_demo", "seed_jobs"]
