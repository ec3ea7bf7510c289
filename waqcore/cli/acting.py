"""Acting on messages: by id, each answered for; or by filter, counted and confirmed first."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

from waqcore.cli.confirm import confirm
from waqcore.cli.errors import NOT_DONE, BadInput, complain
from waqcore.cli.message_view import message_table
from waqcore.cli.screen import console, room, show
from waqcore.cli.session import Session
from waqcore.core.message import Priority, State
from waqcore.words import count, parts

if TYPE_CHECKING:
    from waqcore.store.controls import Filter

IDS_MAX = 1_000
"""Messages named one by one; for more there are filters."""


@dataclass(frozen=True, kw_only=True)
class Act:
    """Something to do to messages."""

    infinitive: str
    done: str
    """The past participle: `cancelled`."""
    states: tuple[State, ...]
    """The states it takes a message in."""
    run: "Callable[[Filter], int]"
    """Does it to what a filter names; returns how many were taken."""


def ids_or_filter(ids: Collection[str], which: "Filter", *, instead: str) -> bool:
    """Whether messages are named by id rather than by filter.

    Raises:
        BadInput: by both, or by neither, which would mean all of them.
    """
    if ids and any(which):
        raise BadInput("name messages by id or by filter, not both")
    if not ids and not any(which):
        raise BadInput(f"which messages? name their ids, or a filter{instead}")
    return bool(ids)


def act_on_named(session: Session, ids: Collection[str], act: Act) -> None:
    """Act on each message that can be acted on, and say why the others cannot.

    Raises:
        Exit: some could not, exit code 1.
    """
    from waqcore.store.controls import Filter

    ids = tuple(dict.fromkeys(ids))
    if len(ids) > IDS_MAX:
        raise BadInput(f"{len(ids):,} ids are too many at once: name up to {IDS_MAX:,}")
    taking, refusals = _takeable(session, ids, act)
    if taking:
        which = Filter(ids=taking)
        taken = act.run(which)
        if taken < len(taking):
            refusals.append(
                f"{count(len(taking) - taken, 'message')} could not be {act.done}: changed "
                "meanwhile, or its recipient has opted out"
            )
        terminal = console()
        seen = session.queue.messages(which, limit=len(taking))
        show(message_table(seen, session.view, room(terminal)), terminal)
    for refusal in refusals:
        complain(refusal)
    if refusals:
        raise typer.Exit(NOT_DONE)


def _takeable(
    session: Session, ids: tuple[str, ...], act: Act
) -> tuple[tuple[str, ...], list[str]]:
    """Those of the messages that can be acted on, and why each of the others cannot."""
    # Imported here for the same reason as in `session`.
    from waqcore.queue import NotFoundError

    taking, refusals = [], []
    for id_ in ids:
        try:
            state = session.queue.message(id_).state
        except NotFoundError as error:
            refusals.append(str(error))
            continue
        if state in act.states:
            taking.append(id_)
        else:
            takes = " or ".join(act.states)
            refusals.append(f"{id_} is {state}: only what is {takes} can be {act.done}")
    return tuple(taking), refusals


def act_on_filter(session: Session, which: "Filter", act: Act, *, yes: bool) -> bool:
    """Say what a filter names, ask, and act on it; False if it names nothing."""
    states = tuple(state for state in act.states if not which.states or state in which.states)
    by_state = session.queue.count(which._replace(states=states)) if states else {}
    total = sum(by_state.values())
    if not total:
        print(f"Nothing to {act.infinitive}: no such message is {' or '.join(act.states)}.")
        return False
    by_priority = {
        priority.word: sum(
            session.queue.count(which._replace(states=states, priority=priority)).values()
        )
        for priority in Priority
        if which.priority in (None, priority)
    }
    confirm(
        f"This will {act.infinitive} {count(total, 'message')}: {parts(by_state)}; "
        f"{parts(by_priority)}",
        typed=str(total),
        yes=yes,
    )
    taken = act.run(which)
    print(f"{act.done.capitalize()}: {count(taken, 'message')}.")
    if taken < total:
        print(f"{total - taken:,} were not: changed meanwhile, or the recipient has opted out.")
    return True
