"""Where to begin: three sets of values that fit together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from execution_engine.domain import document as documents
from execution_engine.domain.settings import Settings


@dataclass(frozen=True, slots=True)
class Template:
    """A few values by their paths, and a sentence that says for whom."""

    name: str
    sentence: str
    values: Mapping[str, Any]


TEMPLATES = (
    Template(
        "Careful",
        "Few positions, one capital shared by all pyramids, never more at stake than the capital; "
        "a loser is cut early.",
        {
            "capital.pyramid_capital": "split",
            "pool.max_open_groups": 5,
            "pool.max_pyramids": 3,
            "grid.first_leg": "limit",
            "take_profit.mode": "per_leg",
            "signals.opposite": "reject",
            "signals.max_deviation_percent": "3",
            "signals.max_entries_per_day": 50,
            "risk.loss_threshold_percent": "-3",
            "risk.post_full_wait_minutes": 30,
            "risk.max_winners_to_combine": 3,
            "risk.allow_partial_offset": True,
        },
    ),
    Template(
        "Balanced",
        "The values this application starts with: ten positions, each pyramid with capital of its own.",
        {
            "capital.pyramid_capital": "full",
            "pool.max_open_groups": 10,
            "pool.max_pyramids": 5,
            "grid.first_leg": "limit",
            "take_profit.mode": "per_leg",
            "signals.opposite": "reject",
            "signals.max_deviation_percent": "10",
            "signals.max_entries_per_day": 200,
            "risk.loss_threshold_percent": "-5",
            "risk.post_full_wait_minutes": 60,
            "risk.max_winners_to_combine": 3,
            "risk.allow_partial_offset": False,
        },
    ),
    Template(
        "Aggressive",
        "Many positions and pyramids, entries at market, signals may turn a position round; "
        "losers are given more room. Far more can be at stake than the capital.",
        {
            "capital.pyramid_capital": "full",
            "pool.max_open_groups": 20,
            "pool.max_pyramids": 8,
            "grid.first_leg": "market",
            "take_profit.mode": "hybrid",
            "signals.opposite": "reverse",
            "signals.max_deviation_percent": "10",
            "signals.max_entries_per_day": 500,
            "risk.loss_threshold_percent": "-8",
            "risk.post_full_wait_minutes": 120,
            "risk.max_winners_to_combine": 5,
            "risk.allow_partial_offset": False,
        },
    ),
)


def applied(settings: Settings, template: Template) -> Settings:
    """Return the settings with a template's values; everything else stays."""
    for path, value in template.values.items():
        settings = documents.with_value(settings, path, value)
    return settings
