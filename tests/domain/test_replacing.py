"""A row with some fields changed is a new row; the old one stays as it was."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from execution_engine.domain.replacing import replace
from execution_engine.domain.rows import EquityPoint, World

POINT = EquityPoint(
    id=7, world=World.PAPER, at=datetime(2026, 11, 20, 9, tzinfo=UTC), realized=Decimal("4.89"), group_id=3
)


@dataclasses.dataclass(frozen=True, slots=True)
class Lonely:
    field: int = 1


@dataclasses.dataclass(frozen=True)
class Loose:
    field: int = 1


def test_a_changed_row_is_what_the_standard_library_makes_of_it():
    changed = replace(POINT, id=8, realized=Decimal("-1"))

    assert changed == dataclasses.replace(POINT, id=8, realized=Decimal("-1"))
    assert (POINT.id, POINT.realized) == (7, Decimal("4.89"))


def test_a_copy_without_a_change_is_equal_and_hashes_alike():
    copy = replace(POINT)

    assert copy == POINT
    assert copy is not POINT
    assert hash(copy) == hash(POINT)


def test_a_field_that_a_row_does_not_have_is_refused():
    with pytest.raises(AttributeError):
        replace(POINT, colour="red")


def test_a_copy_is_as_frozen_as_its_original():
    copy = replace(POINT, id=8)

    with pytest.raises(dataclasses.FrozenInstanceError):
        copy.id = 9  # type: ignore[misc]


def test_a_row_of_one_field_can_be_changed_too():
    assert replace(Lonely(), field=2) == Lonely(2)


def test_a_class_without_slots_is_refused_instead_of_being_copied_wrongly():
    with pytest.raises(TypeError, match="object layout differs"):
        replace(Loose())
