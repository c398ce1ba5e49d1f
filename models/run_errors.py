"""Expected errors of the mutations that change runs."""

from dataclasses import dataclass, field

from mainsheet.models.errors import IN_MESSAGE_ONLY, NotFound, Path, UserError


@dataclass(kw_only=True, eq=False)
class RunNotFound(NotFound):
    """The run doesn't exist, or you can't see its job."""

    code = "RUN_NOT_FOUND"
    text = "There is no run {missing_id!a:.60} that you can see.{hint}"
    path: Path = ("run_id",)


@dataclass(kw_only=True, eq=False)
class RunFinished(UserError):
    """The run has finished, so it can't be released."""

    code = "RUN_FINISHED"
    text = "The run has finished: it is {status}."
    path: Path = ("run_id",)
    status: str = field(metadata=IN_MESSAGE_ONLY)


@dataclass(kw_only=True, eq=False)
class RunNotFinished(UserError):
    """The run hasn't finished. Only finished runs can be deleted."""

    code = "RUN_NOT_FINISHED"
    text = "The run is {status}. Cancel it first, or wait until it has finished."
    path: Path = ("run_id",)
    status: str = field(metadata=IN_MESSAGE_ONLY)


@dataclass(kw_only=True, eq=False)
class RunLeaseLost(UserError):
    """The lease of this attempt has ended. The worker must stop the run."""

    code = "RUN_LEASE_LOST"
    text = "The lease of this attempt has ended. The run's last attempt is {attempt}. Stop working on it."
    path: Path = ("attempt",)
    attempt: int = field(metadata=IN_MESSAGE_ONLY)


@dataclass(kw_only=True, eq=False)
class RunNotReady(UserError):
    """The run is pending. A worker can claim it once it is released."""

    code = "RUN_NOT_READY"
    text = "The run is {status}. Release it first, so that a worker can claim it."
    path: Path = ("run_id",)
    status: str = field(metadata=IN_MESSAGE_ONLY)
