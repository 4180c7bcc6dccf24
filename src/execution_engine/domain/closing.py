"""Starting to close a group, for whatever reason."""

from __future__ import annotations

from dataclasses import replace

from execution_engine.domain.draft import Draft
from execution_engine.domain.rows import GroupStatus, Purpose
from execution_engine.domain.settle import name


def begin_closing(
    draft: Draft, group_id: int, purpose: Purpose, reason: str, alert_id: int | None = None
) -> None:
    """Commit that a group closes: no entry any more, everything that works is cancelled, the rest is sold.

    A group that is closing already keeps its purpose; an exit replaces a take-profit's word on why.
    """
    group = draft.group(group_id)
    if not group.holds_slot:
        return
    if group.status is GroupStatus.CLOSING:
        draft.put(replace(group, exit_alert_id=group.exit_alert_id or alert_id, retry_at=None))
        return
    draft.put(
        replace(
            group,
            status=GroupStatus.CLOSING,
            closing=purpose,
            close_reason=reason,
            exit_alert_id=alert_id,
            retry_at=None,
        )
    )
    draft.tell("group_closing", f"{name(group)} is closing: {reason}", group=group)
