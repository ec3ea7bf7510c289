"""`waq migrate`: bring the database to the schema that this version works with."""

from waqcore.cli.session import environment

EXAMPLES = """Examples:
  waq migrate                             before the first dispatcher of a new version starts

Any other command that may write does the same as it opens the database; this one says what it did,
and needs no sender or gateway to be set."""


def migrate() -> None:
    """Bring the database to the schema of this version, and say from which it came.

    Safe to run while dispatchers work, and by several at once: one does it, the others wait.
    """
    # Imported here: SQLAlchemy takes longer to load than `--help` may take.
    from waqcore.settings import Settings
    from waqcore.store import schema
    from waqcore.store.database import open_database

    database = open_database(Settings.from_env(environment()).database_url)
    try:
        found = database.read(schema.revision)
        schema.ensure(database)
    finally:
        database.close()
    if found is None:
        print(f"made the tables, at schema {schema.HEAD}")
    elif found == schema.HEAD:
        print(f"the database is at schema {found}: nothing to do")
    else:
        print(f"upgraded the database from schema {found} to {schema.HEAD}")
