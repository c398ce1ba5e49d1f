"""Demo data: two small organizations, and any number of generated jobs for one of them."""

from mainsheet.demo.fleet import seed_jobs
from mainsheet.demo.people import DEMO_MEMBERS
from mainsheet.demo.seed import seed_demo
from mainsheet.demo.template import NotSeeded

__all__ = ["DEMO_MEMBERS", "NotSeeded", "seed_demo", "seed_jobs"]
