"""All SQL: one definition for SQLite and PostgreSQL, every write a transaction that is on disk."""
