"""Runs migrations on the connection that `waqcore.store.schema` hands over."""

from alembic import context

from waqcore.store.schema import VERSION_TABLE
from waqcore.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    version_table=VERSION_TABLE,
)
# The caller's transaction commits all migrations or none.
context.run_migrations()
