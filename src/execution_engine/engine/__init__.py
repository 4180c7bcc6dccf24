"""The running desk: asyncio and the domain, nothing else."""
