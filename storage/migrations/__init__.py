"""The steps from one shape of the tables to the next, run by Alembic. Never edited once released."""
