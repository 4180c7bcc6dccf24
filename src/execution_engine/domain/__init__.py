"""The ground floor: pure rules of trading. No clock, no I/O, no Qt, no database."""
