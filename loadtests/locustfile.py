"""Locust's entry: `locust -f loadtests/locustfile.py --headless --host URL …`.

`python -m loadtests.run` starts it with everything around it. By hand, over two workers on any
hosts, the service's token in LOAD_API_TOKEN where the workers are:
`locust -f loadtests/locustfile.py --master --expect-workers 2 --headless --host
http://127.0.0.1:8080 --run-dir DIR --shape opening-day --people 500 --seconds 120`, and twice
`locust -f loadtests/locustfile.py --worker`: the master tells them everything else, and that they
are two. On one host `--processes 2` does the same.
"""

from typing import Any

from locust import LoadTestShape, events
from locust.argument_parser import LocustArgumentParser
from locust.env import Environment
from locust.runners import MasterRunner, WorkerRunner

from loadtests.users.crowd import assemble, running
from loadtests.users.notifier import Notifier
from loadtests.users.operator import Operator
from loadtests.users.payer import Payer
from loadtests.users.plan import Plan, add_options, of_options
from loadtests.users.poller import Poller
from loadtests.users.registrant import Registrant
from loadtests.users.watcher import Watcher

__all__ = ["Notifier", "Operator", "Payer", "Poller", "Registrant", "Watcher"]


class Open(LoadTestShape):
    """The same hands from beginning to end: arrivals are the crowd's, not Locust's."""

    use_common_options = True

    def tick(self) -> tuple[int, float] | None:
        """How many users there should be; None: the run is over."""
        assert self.runner is not None
        plan = _plan(self.runner.environment)
        if self.get_run_time() > plan.ends_s:  # type: ignore[no-untyped-call]
            return None
        fixed = sum(user.fixed_count for user in self.runner.environment.user_classes)
        users = fixed + plan.hands
        return users, float(users)


@events.init_command_line_parser.add_listener  # type: ignore[untyped-decorator]
def _add_options(parser: LocustArgumentParser) -> None:
    add_options(parser)


@events.test_start.add_listener  # type: ignore[untyped-decorator]
def _begin(environment: Environment, **_: Any) -> None:
    runner = environment.runner
    if isinstance(runner, MasterRunner):
        # It has no users; its options are what workers are told next.
        assert environment.parsed_options is not None
        environment.parsed_options.of_workers = runner.worker_count
        return
    worker = runner.worker_index if isinstance(runner, WorkerRunner) else 0
    plan = _plan(environment)
    assemble(plan, worker, max(plan.workers, worker + 1))


@events.test_stop.add_listener  # type: ignore[untyped-decorator]
def _end(environment: Environment, **_: Any) -> None:
    for crowd in running():
        crowd.close()


def _plan(environment: Environment) -> Plan:
    assert environment.parsed_options is not None
    return of_options(environment.parsed_options)
