"""The database: rows in and out of one SQLite file, its schema, its copies and its checks."""
