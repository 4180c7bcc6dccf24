"""Tables and trees: keyed rows that sort themselves, cells that are painted and never computed twice."""
