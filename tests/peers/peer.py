"""What a peer is: where its queue lives, how it is run, and what its adapter must be able to do."""

import functools
import json
import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Protocol

VARIABLE = "PEER_SETTING"
BATCH = 100
"""Messages in one batch of an enqueue."""
KEYS = 1_000
"""Keys that messages without pace are spread over, where each key is served one at a time."""

BODY = (
    "Halo Budi, silakan bayar pendaftaran Anda di https://bayar.example/REG-1 sebelum besok. " * 3
)


class Broker(StrEnum):
    """Where a peer keeps its queue."""

    SQLITE = "SQLite"
    POSTGRES = "PostgreSQL"
    REDIS = "Redis"


class Runtime(StrEnum):
    """What runs a peer's adapter."""

    OURS = "the project's .venv"
    PEERS = "the peers' venv"
    NODE = "node"


@dataclass(frozen=True, kw_only=True)
class Peer:
    """One line of the table."""

    name: str
    """As `--only` takes it."""
    title: str
    adapter: str
    broker: Broker
    paced_by: str
    """What keeps its pace and order, as its docs recommend."""
    variant: str = ""
    """Where one adapter serves several peers: which."""
    durable: bool = True
    """Whether a message is synced to disk when its enqueue returns."""
    runtime: Runtime = Runtime.PEERS
    keyed: bool = False
    """Its rates are measured while each of `KEYS` keys is served one at a time, too."""
    keyless: bool = True
    """False: whatever it takes is of some key, so that without keys it is handed one key's."""
    rated: bool = True
    """False: it would only repeat another's rates."""
    remark: str = ""
    """What a reader of the rates must know."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What a peer's process is told; travels in one environment variable."""

    variant: str
    place: str
    """A URL of Redis or PostgreSQL, or for SQLite the path of a file."""
    sink: str
    """Where a job makes its call; empty: nowhere, a job only tallies."""
    tally: str
    """The file a no-op job adds one byte to; empty: jobs call the sink."""
    pace_s: int
    """Seconds between starts; 0: as fast as it can."""
    keys: int = 0
    """Without pace: how many keys are each served one at a time; 0: nothing is held back."""
    slot: str = "a"
    """The worker's place, which its replacement after a kill takes over."""

    @property
    def environ(self) -> dict[str, str]:
        """The variable that carries it."""
        return {VARIABLE: json.dumps(asdict(self))}


@functools.cache
def setting() -> Setting:
    """The setting of this process."""
    return Setting(**json.loads(os.environ[VARIABLE]))


@dataclass(frozen=True, kw_only=True)
class Producer:
    """How messages are handed over; each call returns once the peer has acknowledged."""

    one: Callable[[int], object]
    many: Callable[[Sequence[int]], object] | None
    """None: the peer has no call that takes many."""


class Adapter(Protocol):
    """A module of `tests.peers.adapters`; runs in the peer's own process."""

    def prepare(self, told: Setting) -> None:
        """Make the tables, if there are any."""
        ...

    def producing(self, told: Setting) -> AbstractContextManager[Producer]:
        """Open the queue for enqueuing."""
        ...

    def work(self, told: Setting) -> None:
        """Be a worker, until killed."""
        ...
