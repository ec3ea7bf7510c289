"""`python -m loadtests.run`: a load test, its verdict and its report; behind `make load`."""

import sys
from datetime import datetime
from pathlib import Path

from rich.console import Console

from loadtests.mock_gateway.process import DidNotStart
from loadtests.run.clock import ClockError
from loadtests.run.disk import DiskError
from loadtests.run.drive import drive
from loadtests.run.order import Order, of_arguments, parser
from loadtests.run.service import ServiceError

COULD_NOT_JUDGE = 2
INTERRUPTED = 130


def main() -> int:
    """Run and judge; 0 clean, 1 not clean, 2 could not be judged, 130 for a second Ctrl-C."""
    order = of_arguments(parser().parse_args())
    console = Console(highlight=False)
    folder = _folder(order)
    console.print(
        f"{order.scenario}: {order.people} people in {order.seconds:g} s, pace {order.pace_s:g} s, "
        f"{order.senders} senders, {order.weather.stem} weather, seed {order.seed}"
    )
    try:
        drive(order, folder, console)
        return _judged(folder, console)
    except (ClockError, DidNotStart, DiskError, ServiceError) as error:
        print(f"cannot judge: {error}", file=sys.stderr)
        return COULD_NOT_JUDGE
    except KeyboardInterrupt:
        return INTERRUPTED


def _folder(order: Order) -> Path:
    now = datetime.now().astimezone()
    folder = order.out / f"{now:%Y%m%d-%H%M%S}-{order.scenario}-{order.seed}"
    folder.mkdir(parents=True)
    return folder


def _judged(folder: Path, console: Console) -> int:
    # Imported here: matplotlib takes a second, better spent after the run than before it.
    from loadtests.verdict.__main__ import give
    from loadtests.verdict.folder import CannotJudge

    try:
        return 0 if give(folder, console).clean else 1
    except CannotJudge as error:
        print(f"cannot judge: {error}", file=sys.stderr)
        return COULD_NOT_JUDGE


if __name__ == "__main__":
    sys.exit(main())
