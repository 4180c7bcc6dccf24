"""The ways to an exchange: the paper exchange, its prices, and the rules of the instruments."""
