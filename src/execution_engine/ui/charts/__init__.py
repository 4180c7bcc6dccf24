"""Charts: pyqtgraph with our axes, colours and manners. Only here does money become a float, to be a place."""
