"""Is every 202 accounted for? P2: nothing lost."""

from collections import Counter
from collections.abc import Iterator

from loadtests.verdict.evidence import Evidence
from loadtests.verdict.finding import Finding, counted, finding
from loadtests.verdict.records import End

ENDED = ("sent", "failed", "cancelled", "expired", "unknown")
UNENDED = ("queued", "sending")


def check(evidence: Evidence) -> Finding:
    """Look every acknowledged message up in the database, and at the gateway."""
    states = Counter(
        evidence.messages[id_].state if id_ in evidence.messages else "nowhere"
        for id_ in evidence.acknowledged
    )
    problems = [*_lost(evidence), *_stored_twice(evidence), *_strays(evidence), *_unended(evidence)]
    others = len(evidence.messages.keys() - evidence.acknowledged.keys())
    told = ", ".join(f"{number:,} {state}" for state, number in states.most_common())
    said = f"{counted(len(evidence.acknowledged), 'acknowledgement')}: {told or 'none'}"
    if others:
        said += f"; {counted(others, 'message')} more in the database"
    return finding(
        "accounted",
        "Is every 202 accounted for?",
        said,
        problems,
        {
            "acknowledged": len(evidence.acknowledged),
            "in the database": len(evidence.messages),
            "calls": len(evidence.calls),
            "calls of no known message": len(evidence.strays),
            **{f"acknowledged, now {state}": number for state, number in states.items()},
        },
    )


def _lost(evidence: Evidence) -> Iterator[str]:
    for id_ in evidence.acknowledged:
        message = evidence.messages.get(id_)
        described = evidence.described(id_)
        if message is None:
            yield f"{described} was acknowledged and is not in the database"
            continue
        if message.state not in ENDED + UNENDED:
            yield f"{described} is in a state nobody knows"
        yield from _ended_wrongly(message.state, evidence.deliveries(id_), described)
    for id_ in evidence.messages.keys() - evidence.acknowledged.keys():
        state = evidence.messages[id_].state
        yield from _ended_wrongly(state, evidence.deliveries(id_), evidence.described(id_))


def _ended_wrongly(state: str, deliveries: int, described: str) -> Iterator[str]:
    if state == "sent" and not deliveries:
        yield f"{described} is said to be sent and reached no phone"
    if state == "failed" and deliveries:
        yield f"{described} is said to have failed and reached a phone"


def _stored_twice(evidence: Evidence) -> Iterator[str]:
    for id_, times in Counter(message.id for message in evidence.folder.messages).items():
        if times > 1:
            yield f"{id_} is in the database {times} times"


def _strays(evidence: Evidence) -> Iterator[str]:
    """Calls of no message, beyond those whose dispatcher died before it could say when it left."""
    untimed = Counter(one.sender for one in evidence.folder.attempts if one.called_at is None)
    for call in evidence.strays:
        untimed[call.sender] -= 1
        if untimed[call.sender] < 0:
            yield f"call {call.call} of {call.sender} is no message's"


def _unended(evidence: Evidence) -> Iterator[str]:
    left = sum(message.state in UNENDED for message in evidence.messages.values())
    if evidence.run.end is End.DRAINED and left:
        yield f"{counted(left, 'message')} had not ended though the queue was said to be empty"
    if evidence.run.end is End.STUCK:
        yield f"the queue did not drain: {counted(left, 'message')} had not ended"
