"""The outside world: each part joins the domain to one library."""
