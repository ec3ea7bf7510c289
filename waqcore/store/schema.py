"""The schema's version: created, upgraded, or refused where it is newer than we are."""

from pathlib import Path

from sqlalchemy import Connection, inspect, select, table
from sqlalchemy.sql import column

from waqcore.store.database import Database
from waqcore.store.errors import NewerDatabaseError

HEAD = "0001"
"""The newest migration; a test holds it to the folder."""

_MIGRATIONS = Path(__file__).parent / "migrations"


def ensure(database: Database) -> None:
    """Bring the database to `HEAD`; one that is there already costs a single read.

    Raises:
        NewerDatabaseError: it was written by a newer waqcore.
        UnwritableDatabaseError: it must be upgraded and cannot be written to.
    """
    if database.read(revision) != HEAD:
        database.write(upgrade)


def revision(connection: Connection) -> str | None:
    """The migration the database is at; None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(select(column("version_num")).select_from(_version))
    return found


_version = table("alembic_version")


def upgrade(connection: Connection) -> None:
    """Run the migrations that are missing, inside the caller's transaction."""
    # Imported here: alembic costs 10 MB and 100 ms, and is needed once in a database's life.
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    found = revision(connection)
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found is not None and found not in known:
        raise NewerDatabaseError(found, HEAD)
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
