"""Runs the migrations on the connection that `clinic.database.migrate` hands over."""

from alembic import context

from clinic.models import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
)
context.run_migrations()
