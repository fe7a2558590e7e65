"""Alembic's entry: runs the migrations on the connection that the store hands over, inside its transaction."""

from alembic import context

given = context.config.attributes
context.configure(connection=given["connection"], version_table=given["table"], transactional_ddl=False)
context.run_migrations()
