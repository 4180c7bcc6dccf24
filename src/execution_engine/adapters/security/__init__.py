"""Secrets: kept, compared, and kept out of everything that is written down."""
