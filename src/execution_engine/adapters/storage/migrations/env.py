"""How Alembic gets its connection: from whoever runs the steps, within their transaction."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
