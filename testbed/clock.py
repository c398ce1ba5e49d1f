from dataclasses import dataclass


@dataclass
class Clock:
    """A monotonic clock that a test moves on."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now
