"""Starting to close a group, for whatever reason."""

from __future__ import annotations

from execution_engine.domain.draft import Draft
from execution_engine.domain.replacing import replace
from execution_engine.domain.rows import Group, GroupStatus, Purpose
from execution_engine.domain.settle import name


def begin_closing(
    draft: Draft, group_id: int, purpose: Purpose, reason: str, alert_id: int | None = None
) -> None:
    """Commit that a group closes: no entry any more, everything that works is cancelled, the rest is sold.

    A group that is closing already keeps its purpose; an exit has a refused close tried again at once.
    """
    group = draft.group(group_id)
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


def cancel_next(draft: Draft, group: Group, why: str) -> None:
    """Cancel the entry of a reversal that is still to come; the exit before it goes on."""
    group = draft.group(group.id)
    if group.next_alert_id is None:
        return
    draft.put(replace(group, next_alert_id=None, close_reason=f"{group.close_reason}; {why}"))
    alert = draft.alert(group.next_alert_id)
    draft.put(replace(alert, reason=f"the new side was not opened: {why}"))
