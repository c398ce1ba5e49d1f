from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mainsheet.models.cluster_status import ClusterStatus


@dataclass(frozen=True)
class References:
    """The rows that a configuration refers to, as far as the caller can see them.

    `jobs` are those that the caller may name as dependencies. `waits_for` maps each job that may be followed to the
    jobs that its current version depends on.
    """

    clusters: Mapping[str, ClusterStatus] = field(default_factory=dict)
    queries: frozenset[str] = frozenset()
    jobs: frozenset[str] = frozenset()
    waits_for: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def cycle(self, job_id: str, dependencies: Sequence[str]) -> list[str]:
        """Return the dependency cycle that starts and ends at `job_id`, or nothing."""
        came_from: dict[str, str] = {}
        frontier = [(dependency, job_id) for dependency in dependencies]
        while frontier:
            current, waiting = frontier.pop()
            if current in came_from:
                continue
            came_from[current] = waiting
            if current == job_id:
                return _walked_back(job_id, came_from)
            frontier += [(next_one, current) for next_one in self.waits_for.get(current, ())]
        return []


def _walked_back(job_id: str, came_from: Mapping[str, str]) -> list[str]:
    steps = [job_id, came_from[job_id]]
    while steps[-1] != job_id:
        steps.append(came_from[steps[-1]])
    return steps[::-1]
