"""The schema's version: created, upgraded, or refused where it is newer than we are."""

from pathlib import Path

from sqlalchemy import (
    Column,
    Connection,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    insert,
    inspect,
    select,
)

from waqcore.store import exclusive
from waqcore.store.database import Database
from waqcore.store.errors import NewerDatabaseError
from waqcore.store.tables import metadata

HEAD = "0004"
"""The newest migration; a test holds it to the folder."""

_MIGRATIONS = Path(__file__).parent / "migrations"


VERSION_TABLE = "waq_schema_version"
"""Not Alembic's own name for it: an application's migrations may live in the same database."""

_version = Table(
    VERSION_TABLE,
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name=f"{VERSION_TABLE}_pkc"),  # As Alembic makes it.
)


def ensure(database: Database) -> None:
    """Bring the database to `HEAD`; one that is there already costs a single read.

    Raises:
        NewerDatabaseError: it was written by a newer waqcore.
        UnwritableDatabaseError: it must be upgraded and cannot be written to.
    """
    if database.read(revision) != HEAD:
        database.write(upgrade)


def revision(connection: Connection) -> str | None:
    """The migration the database is at; None for one without our tables."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    found: str | None = connection.scalar(select(_version.c.version_num))
    return found


def upgrade(connection: Connection) -> None:
    """Make the tables, or run the migrations that are missing, in the caller's transaction."""
    exclusive.alone(connection, "schema")
    found = revision(connection)
    if found is not None:
        migrate(connection, found)
        return
    # Alembic costs 10 MB and 100 ms, and has nothing to migrate here.
    metadata.create_all(connection)
    _version.create(connection)
    connection.execute(insert(_version).values(version_num=HEAD))


def migrate(connection: Connection, found: str | None) -> None:
    """Run the migrations that follow the one it is at; None: all of them.

    Raises:
        NewerDatabaseError: the database was written by a newer waqcore.
    """
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found is not None and found not in known:
        raise NewerDatabaseError(found, HEAD)
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
