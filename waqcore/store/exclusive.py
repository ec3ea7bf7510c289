"""Work that one transaction at a time may do, where the engine lets many write at once."""

from zlib import crc32

from sqlalchemy import BigInteger, Connection, bindparam, func, select

_lock = select(func.pg_advisory_xact_lock(bindparam("key", type_=BigInteger)))


def several_write(connection: Connection) -> bool:
    """Whether other transactions may write beside this one. SQLite lets one at a time."""
    return connection.dialect.name != "sqlite"


def alone(connection: Connection, what: str) -> None:
    """Wait until no other transaction does this; held until this one's end."""
    if several_write(connection):
        connection.execute(_lock, {"key": crc32(f"waqcore: {what}".encode())})
