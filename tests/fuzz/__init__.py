"""Seeded streams of nonsense, and what must not happen under them."""
