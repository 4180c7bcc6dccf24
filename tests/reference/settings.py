"""The reference of the settings, made from their schema alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from execution_engine.domain import schema
from execution_engine.domain.cautions import TRADING
from execution_engine.domain.schema import Kind, Setting
from execution_engine.domain.settings import DEFAULT_GRID, Binding, GridLayer, Settings
from execution_engine.domain.templates import TEMPLATES

DOCUMENT = Path(__file__).parents[2] / "docs" / "settings.md"

HEADING = """\
# Settings

Every setting with its path in the document, its range, unit and default. Made by `python -m tests.reference` from
the schema; not to be edited by hand.

The settings are one JSON document. They are changed on the page Settings, or on the command line:

```
execution-engine settings get [PATH]        execution-engine settings history
execution-engine settings set PATH VALUE    execution-engine settings diff A B
execution-engine settings export FILE       execution-engine settings restore N
execution-engine settings import FILE
```

What is saved is in force at once for every new decision; groups that are open keep the grid, the take-profit mode
and the number of pyramids they were opened with. Every saved version is kept; version 0 is the defaults. What cannot
be is refused with a sentence that names the setting. If the newest version makes no sense, the last good one is used
and the page says so. No secret is in the document, nor in an export of it.

A document says its `version`; one without is taken for the newest. Older ones are brought up to date when they are
read, one from a newer application is refused.

**Read only** (`security.read_only`): nothing can be changed by hand, in the window or on the command line, not even
paused or closed; alerts, fills, targets and timers go on. The one thing that can be done is to switch it off.
"""

GRIDS = """\

## Grid profiles and bindings

`grid.profiles` names grids. A grid is a list of 1 to 50 legs; gaps must move strictly away from the base price, the
first may be 0, and weights add up to 100. A short mirrors the gaps.

{legs}

The built-in profile `default`:

| leg | gap % | weight % | target % |
| ---: | ---: | ---: | ---: |
{default}

`grid.bindings` is a list; the first entry that fits an alert's symbol and timeframe names its profile, all others use
`grid.default`, unless the alert names one itself.

{bindings}
"""

TEMPLATE_HEADING = """\

## Templates

The page Trading offers three sets of values. They fill the forms and are saved like any other change.

"""


def document() -> str:
    """Write the whole reference."""
    parts = [HEADING]
    for name in Settings.model_fields:
        found = schema.of_account("NAME") if name == "accounts" else schema.section(name)
        if found:
            title, sentence = schema.SECTIONS.get(name, (schema.title_of(name), ""))
            parts.append(f"\n## {title}\n\n{sentence}\n\n{_table(found)}")
        if name == "grid":
            parts.append(_grids())
    parts.append(TEMPLATE_HEADING + "".join(_templates()))
    return "".join(parts)


def _table(settings: Sequence[Setting]) -> str:
    rows = "".join(
        f"| `{each.path}` | {_values(each)} | {_default(each)} | {_cell(each.help)} |\n" for each in settings
    )
    return f"| path | value | default | what it does |\n| --- | --- | --- | --- |\n{rows}"


def _values(setting: Setting) -> str:
    if setting.choices:
        return ", ".join(f"`{_plain(value)}`" for value, _ in setting.choices)
    words = {Kind.SWITCH: "`true`, `false`", Kind.LIST: "list of texts"}.get(setting.kind, setting.kind.value)
    return " ".join(each for each in (words, setting.range, setting.unit) if each)


def _default(setting: Setting) -> str:
    return f"`{_plain(setting.default)}`" if setting.default not in ("", []) else "empty"


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _grids() -> str:
    rows = "\n".join(
        f"| {leg} | {layer.gap_percent} | {layer.weight_percent} | {layer.tp_percent} |"
        for leg, layer in enumerate(DEFAULT_GRID)
    )
    return GRIDS.format(legs=_fields(GridLayer), default=rows, bindings=_fields(Binding))


def _fields(section: type[GridLayer] | type[Binding]) -> str:
    return "\n".join(f"- `{name}`: {field.description}" for name, field in section.model_fields.items())


def _templates() -> Iterator[str]:
    yield f"| | {' | '.join(each.name for each in TEMPLATES)} |\n| --- |{' --- |' * len(TEMPLATES)}\n"
    yield f"| | {' | '.join(each.sentence for each in TEMPLATES)} |\n"
    paths = [path for section in TRADING for path in TEMPLATES[0].values if path.startswith(f"{section}.")]
    for path in paths:
        yield f"| `{path}` | {' | '.join(f'`{_plain(each.values[path])}`' for each in TEMPLATES)} |\n"
