"""Panels that stand on a page of somebody else's."""
