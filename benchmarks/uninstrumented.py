"""`python -m benchmarks.uninstrumented serve` serves as `mainsheet serve` does, but makes no logs and no metrics."""

from mainsheet.models.instrumentation import EVENTS, Instrumentation
from mainsheet.server.cli import main
from mainsheet.server.observe.logs import Logs
from mainsheet.server.observe.metrics import Metrics


def silence(instrument: type[Instrumentation]) -> None:
    """Remove what the class does at each event, so that it inherits methods that do nothing."""
    for name in vars(instrument).keys() & set(EVENTS):
        delattr(instrument, name)


if __name__ == "__main__":
    silence(Logs)
    silence(Metrics)
    main()
