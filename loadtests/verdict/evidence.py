"""What happened to each message, with every call of the gateway's log put to its message."""

from collections import defaultdict
from functools import cached_property

from loadtests.verdict import owners
from loadtests.verdict.folder import Folder
from loadtests.verdict.records import US, Acknowledged, Attempt, Call, Message
from loadtests.verdict.wall import on_the_true_wall


class Evidence:
    """A run's folder, indexed; every instant is on the true wall."""

    def __init__(self, folder: Folder) -> None:
        """
        Raises:
            CannotJudge: the service's wall was stepped in a way that its instants do not tell.
        """
        self.folder, self.left_out = on_the_true_wall(folder)
        folder = self.folder
        self.run = folder.run
        self.pace_us = round(folder.run.pace_s * US)
        self.messages = {message.id: message for message in folder.messages}
        self.acknowledged: dict[str, Acknowledged] = {}
        for one in folder.acknowledged:
            self.acknowledged.setdefault(one.id, one)  # A repeated request gives the same id.
        self.calls = sorted(folder.calls, key=lambda call: call.arrived_us)

    @cached_property
    def attempts(self) -> dict[str, list[Attempt]]:
        """By message, in their order."""
        found: dict[str, list[Attempt]] = defaultdict(list)
        for attempt in sorted(self.folder.attempts, key=lambda one: one.number):
            found[attempt.message_id].append(attempt)
        return found

    @cached_property
    def lanes(self) -> dict[str, list[Call]]:
        """Calls by sender, as they arrived."""
        found: dict[str, list[Call]] = defaultdict(list)
        for call in self.calls:
            found[call.sender].append(call)
        return dict(sorted(found.items()))

    @cached_property
    def owners(self) -> dict[int, str]:
        """The message of each call, by the call's number; a call that is not here is nobody's."""
        return owners.owners(self.calls, self.acknowledged, self.folder.attempts)

    @cached_property
    def calls_of(self) -> dict[str, list[Call]]:
        """By message, as they arrived."""
        found: dict[str, list[Call]] = defaultdict(list)
        for call in self.calls:
            if (owner := self.owners.get(call.call)) is not None:
                found[owner].append(call)
        return found

    @cached_property
    def strays(self) -> list[Call]:
        """Calls that are no message's."""
        return [call for call in self.calls if call.call not in self.owners]

    def deliveries(self, id_: str) -> int:
        """How often a message reached its phone."""
        return sum(len(call.deliveries) for call in self.calls_of.get(id_, ()))

    def described(self, id_: str) -> str:
        """A message in words, for an example."""
        message, acknowledged = self.messages.get(id_), self.acknowledged.get(id_)
        kind = acknowledged.kind if acknowledged else "not acknowledged to Locust"
        if message is None:
            return f"{id_} ({kind})"
        calls = ", ".join(f"{call.call} {call.fault}" for call in self.calls_of.get(id_, ()))
        return f"{id_} ({kind}, {message.priority}, {message.state}; calls: {calls or 'none'})"


def message_of(evidence: Evidence, call: Call) -> Message | None:
    """The message a call was for, as the database holds it."""
    return evidence.messages.get(evidence.owners.get(call.call, ""))
