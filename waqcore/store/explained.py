"""What a PostgreSQL server refuses, in words that say what to do about it."""

from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from waqcore.store.address import shown
from waqcore.store.errors import (
    PassingError,
    RefusingDatabaseError,
    UnreachableDatabaseError,
    UnwritableDatabaseError,
)

_PASSING = ("40001", "40P01")
"""Serialization failure and deadlock: another transaction was in the way."""

# Source of the codes: PostgreSQL 18, appendix A.
_UNWRITABLE = {
    "25006": "is read-only (a standby, perhaps): name the primary in WAQ_DATABASE_URL",
    "42501": "refuses: grant the user of WAQ_DATABASE_URL rights on the schema and its tables",
    "53100": "has a full disk: free some space there and try again",
    "53200": "is out of memory: look at its log, and try again",
    "55P03": "is held locked by somebody: look for a long transaction in pg_stat_activity",
}

# No code comes with what fails before a session begins, only words.
_REFUSED = {
    "password": "check the user and the password in WAQ_DATABASE_URL",
    "pg_hba.conf": "let this host and user in, in the server's pg_hba.conf",
    "does not exist": "create it first, or correct its name in WAQ_DATABASE_URL",
}
_AWAY = {
    "too many": "raise max_connections at the server, or put a pooler in front of it",
    "starting up": "it is starting: try again in a moment",
    "shutting down": "it is being restarted: try again in a moment",
    "resolve host": "check the host in WAQ_DATABASE_URL",
}


def broke(error: BaseException) -> bool:
    """Whether an error is that the connection is gone."""
    return isinstance(error, DBAPIError) and error.connection_invalidated


def explained(error: BaseException, url: URL) -> BaseException:
    """Turn what a server or the way to it did into what to do about it; else the error itself."""
    where = f"the database {shown(url)}"
    if isinstance(error, PoolTimeoutError):
        return UnreachableDatabaseError(f"{where}: every connection is in use: try again")
    if not isinstance(error, DBAPIError):
        return error
    state = getattr(error.orig, "sqlstate", None)
    if broke(error) or state in _PASSING:
        return PassingError(
            f"{where} broke off ({_first_line(error)}): nothing was stored; try again"
        )
    if state in _UNWRITABLE:
        return UnwritableDatabaseError(f"{where} {_UNWRITABLE[state]}; nothing was stored")
    if isinstance(error, OperationalError) and state is None:
        return _unreachable(where, _first_line(error))
    return error


def _unreachable(where: str, said: str) -> UnreachableDatabaseError:
    line = f"{where} cannot be reached ({said})"
    for words, advice in _REFUSED.items():
        if words in said:
            return RefusingDatabaseError(f"{line}: {advice}")
    otherwise = "check that the server runs, and that this host can reach it"
    advice = next((advice for words, advice in _AWAY.items() if words in said), otherwise)
    return UnreachableDatabaseError(f"{line}: {advice}")


def _first_line(error: DBAPIError) -> str:
    lines = str(error.orig).strip().splitlines()
    return lines[0] if lines else type(error.orig).__name__
