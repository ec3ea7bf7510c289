"""Work that one transaction at a time may do, where the engine lets many write at once."""

from zlib import crc32

from sqlalchemy import Connection, text

# In the order of their keys, so that no two wait for each other.
_lock = text(
    "SELECT pg_advisory_xact_lock(key) "
    "FROM (SELECT key FROM unnest(CAST(:keys AS bigint[])) AS key ORDER BY key) AS in_order"
)


def several_write(connection: Connection) -> bool:
    """Whether other transactions may write beside this one. SQLite lets one at a time."""
    return connection.dialect.name != "sqlite"


def alone(connection: Connection, *what: str) -> None:
    """Wait until no other transaction does any of this; held until this one's end."""
    if several_write(connection):
        keys = [crc32(f"waqcore: {one}".encode()) for one in what]
        connection.execute(_lock, {"keys": keys})
