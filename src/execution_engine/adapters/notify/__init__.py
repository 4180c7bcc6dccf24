"""Telling people who are not in front of the window."""
