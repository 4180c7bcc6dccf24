"""When the risk engine looks at a world, and what it does with what it finds."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from execution_engine.domain import risk_offset
from execution_engine.domain.audit import Act
from execution_engine.domain.draft import Draft
from execution_engine.domain.errors import Refusal
from execution_engine.domain.facts import Category
from execution_engine.domain.inputs import AdvanceOffset, Answer, Evaluate, RunRisk
from execution_engine.domain.money import plain
from execution_engine.domain.risk_candidate import candidates
from execution_engine.domain.risk_plan import Evaluation, OffsetPlan, evaluate, signature
from execution_engine.domain.rows import RiskAction, RiskStatus, RiskType, World
from execution_engine.domain.view import View


def evaluate_world(draft: Draft, wish: Evaluate) -> None:
    """Look at a world because it is time; what is under way goes on first, at most one at once."""
    for action in draft.open_risk_actions():
        if action.world is wish.world:
            draft.follow(AdvanceOffset(action_id=action.id))
    if not obstacle(draft, wish.world):
        _act(draft, wish.world, by_hand=False)


def run(draft: Draft, wish: RunRisk) -> Answer | Refusal:
    """Look now, because the user asks for it."""
    worlds = (wish.world,) if wish.world else _worlds(draft)
    told: list[str] = []
    refused = 0
    for world in worlds:
        why = obstacle(draft, world)
        refused += bool(why)
        told.append(f"{world.capitalize()}: {why or _act(draft, world, by_hand=True)}.")
    if refused == len(worlds):
        return Refusal("RISK", " ".join(told))
    draft.record(Act.RISK_RUN, f"The risk engine was run by hand. {' '.join(told)}")
    return Answer(status="done", text=" ".join(told))


def _worlds(draft: Draft) -> tuple[World, ...]:
    """Return the worlds that have something open; paper where none has."""
    used = {group.world for group in draft.groups()}
    return tuple(world for world in World if world in used) or (World.PAPER,)


def preview(view: View, world: World, now: datetime) -> Evaluation:
    """Return what an evaluation would find now; nothing is written and no skip is used up."""
    return evaluate(world, candidates(view, world, now), view.settings.risk, now)


def obstacle(draft: Draft, world: World) -> str:
    """Return why nothing is begun in a world now, in words."""
    if not draft.settings.risk.enabled:
        return "the risk engine is switched off (risk.enabled)"
    if draft.engine.paused:
        return "the engine is paused"
    if any(action.world is world for action in draft.open_risk_actions()):
        return "an offset is under way already"
    held = draft.view.world_hold(world)
    return f"the world is on hold: {held}" if held else ""


def _act(draft: Draft, world: World, *, by_hand: bool) -> str:
    """Begin what an evaluation finds, or note it where it is only rehearsed; return what was found."""
    found = preview(draft.view, world, draft.now)
    acts = found.plan is not None and found.plan.acts
    if draft.settings.rehearses(world):
        if found.plan is not None and acts:
            _rehearse(draft, found.plan, by_hand=by_hand)
        return f"{found.words}; a rehearsal, nothing was sent"
    for id in found.skips:
        group = draft.group(id)
        draft.put(replace(group, skip_once=False))
        text = f"{group.symbol} {group.timeframe} was skipped once by the risk engine."
        draft.tell("risk_skipped", text, category=Category.RISK, group=group)
    if found.plan is not None and acts:
        risk_offset.begin(draft, found.plan, by_hand=by_hand)
    return found.words


def _rehearse(draft: Draft, plan: OffsetPlan, *, by_hand: bool) -> None:
    """Keep a plan that is not carried out, unless the last one was the same."""
    last = draft.last_rehearsal(plan.world)
    if last is not None and signature(last.steps) == plan.signature:
        return
    action = RiskAction(
        id=draft.new_id(),
        world=plan.world,
        type=RiskType.REHEARSAL,
        status=RiskStatus.PLANNED,
        loser=plan.loser.group_id,
        by_hand=by_hand,
        steps=plan.steps,
        needed_usd=plain(plan.needed),
        notes=plan.words,
        started_at=draft.now,
        finished_at=draft.now,
    )
    draft.put(action)
    loser = draft.group(plan.loser.group_id)
    draft.tell("risk_rehearsed", f"Rehearsal: {plan.words}.", category=Category.RISK, group=loser)
