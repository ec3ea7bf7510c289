"""Runs migrations on the connection that `waqcore.store.schema` hands over."""

from alembic import context

from waqcore.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
)
# The caller's transaction commits all migrations or none.
context.run_migrations()
