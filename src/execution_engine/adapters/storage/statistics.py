"""Figures over closed groups, summed exactly: SQLite's own sums would be floats."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Connection, select

from execution_engine.adapters.storage.codec import time_text
from execution_engine.adapters.storage.tables import CURRENT, HISTORY
from execution_engine.domain.money import ZERO
from execution_engine.domain.rows import Fill, Group, GroupStatus, World
from execution_engine.domain.statistics import Statistics


def summed(connection: Connection, world: World, since: datetime | None) -> Statistics:
    """Sum up; `since`: groups closed, and fills made, at that time or later."""
    results = list(closed_results(connection, world, since))
    wins = [realized for realized, _ in results if realized > 0]
    losses = [realized for realized, _ in results if realized < 0]
    won, lost = sum(wins, ZERO), sum(losses, ZERO)
    return Statistics(
        trades=len(results),
        wins=len(wins),
        losses=len(losses),
        won=won,
        lost=lost,
        realized=won + lost,
        fees=sum((fees for _, fees in results), ZERO),
        volume=sum(volumes(connection, world, since), ZERO),
    )


def closed_results(
    connection: Connection, world: World, since: datetime | None
) -> Iterator[tuple[Decimal, Decimal]]:
    """Yield the realized result and the fees of each closed group that had filled."""
    for place in (CURRENT, HISTORY):
        groups = place[Group].table.c
        statement = select(groups.realized, groups.fees, groups.filled_quantity).where(
            groups.world == world.value, groups.status == GroupStatus.CLOSED.value
        )
        if since:
            statement = statement.where(groups.closed_at >= time_text(since))
        for realized, fees, filled in connection.execute(statement):
            if Decimal(filled):
                yield Decimal(realized), Decimal(fees)


def volumes(connection: Connection, world: World, since: datetime | None) -> Iterator[Decimal]:
    """Yield price × quantity of every fill in a world, of open groups too."""
    for place in (CURRENT, HISTORY):
        fills, groups = place[Fill].table.c, place[Group].table.c
        statement = select(fills.price, fills.quantity).where(
            fills.group_id == groups.id, groups.world == world.value
        )
        if since:
            statement = statement.where(fills.at >= time_text(since))
        for price, quantity in connection.execute(statement):
            yield Decimal(price) * Decimal(quantity)
