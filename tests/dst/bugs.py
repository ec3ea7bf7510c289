"""Bugs to plant: a line of our own code changed for as long as a test lasts.

Each names what it changes by its very text, so that a bug that no longer fits the code says so.
"""

import ast
import inspect
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any, NamedTuple


class Bug(NamedTuple):
    """A change of one place in one function."""

    name: str
    module: str
    function: str
    """Its name in the module, with its class before a dot where it has one."""
    was: str
    becomes: str
    seed: int = 0
    """Where it was last found: looked at first, which only saves time."""


class Misfit(LookupError):
    """The code has moved on: the text that a bug changes is not there, or not just once."""


@contextmanager
def planted(bug: Bug) -> Iterator[None]:
    """Run with a bug in the code.

    Raises:
        Misfit: the function's text does not have what the bug changes, exactly once.
    """
    module = import_module(bug.module)
    owner, name = _owner(module, bug.function)
    original = vars(owner)[name]
    changed = _changed(module, original, bug)
    holders = [module for module in _ours() if vars(module).get(name) is original]
    setattr(owner, name, changed)
    for holder in holders:  # Others may have imported it by name.
        setattr(holder, name, changed)
    try:
        yield
    finally:
        setattr(owner, name, original)
        for holder in holders:
            setattr(holder, name, original)


def _owner(module: ModuleType, function: str) -> tuple[Any, str]:
    cls, _, name = function.rpartition(".")
    return (getattr(module, cls) if cls else module), name


def _ours() -> list[ModuleType]:
    return [module for name, module in sys.modules.items() if name.startswith("waqcore.")]


def _changed(module: ModuleType, original: Callable[..., Any], bug: Bug) -> Callable[..., Any]:
    source = textwrap.dedent(inspect.getsource(original))
    if source.count(bug.was) != 1:
        raise Misfit(
            f"{bug.name}: {bug.function} has {bug.was!r} {source.count(bug.was)} times, not once"
        )
    tree = ast.parse(source.replace(bug.was, bug.becomes))
    space: dict[str, Any] = {}
    exec(compile(tree, f"<{bug.name}>", "exec"), vars(module), space)
    changed: Callable[..., Any] = next(iter(space.values()))
    return changed


GIVEN = (
    Bug(
        "settles without looking at the token",
        "waqcore.store.step",
        "_Turn._settle_one",
        "if stored.lease_token != token or not held:",
        "if stored.message.state is not State.SENDING:",
        1,
    ),
    Bug(
        "paces from the claim",
        "waqcore.core.settle",
        "settle",
        "lane.paced_from(called_at,",
        "lane.paced_from(lane.lease.claimed_at,",
    ),
    Bug(
        "counts a failure when the sender is paused",
        "waqcore.core.settle",
        "_effect",
        "return Settled(_paused(lane, outcome, now, policy), _released(message, reason))",
        "return Settled(_paused(lane, outcome, now, policy), "
        "_failed_once(message, reason, now, u, policy))",
        8,
    ),
    Bug(
        "takes over before call_by",
        "waqcore.core.schedule",
        "next_step",
        "lapses_at = min(lease.until, lease.claimed_at + policy.sending_max_us)",
        "lapses_at = lease.claimed_at + 500_000",
        1,
    ),
    Bug(
        "breaks ties the wrong way",
        "waqcore.core.order",
        "place",
        "return (message.priority, message.due_at, message.seq)",
        "return (message.priority, -message.due_at, -message.seq)",
        3,
    ),
)
"""The five that issue E names."""
