"""The steps from one schema to the next, each of which can be taken back."""
