"""The queue: who waits for a slot, who is next, and who holds the slots."""

from execution_engine.ui.pages.queue.page import QueuePage

__all__ = ["QueuePage"]
