"""The settings document as text and by its paths: checked, written, read and changed; a sentence per fault."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError

from execution_engine.domain.errors import FieldFault, SettingsError
from execution_engine.domain.settings import VERSION, Section, Settings

Migration = Callable[[dict[str, Any]], dict[str, Any]]

MIGRATIONS: Mapping[int, Migration] = {}
"""How a document of each older version becomes one of the next; version 1 is the first there is."""


def parse(document: str | bytes) -> Settings:
    """Check a settings document (JSON text). Raises SettingsError with a sentence per fault.

    An older one is brought up to date first.
    """
    try:
        data = json.loads(document, parse_float=Decimal, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise SettingsError((FieldFault("document", _unreadable(document, error)),)) from None
    return check(migrated(data))


def _unreadable(document: str | bytes, error: Exception) -> str:
    if not document.strip():
        return "is empty"
    if isinstance(error, json.JSONDecodeError) and _is_cut_off(error):
        return f"ends too early, in line {error.lineno}: the rest of it is missing"
    return f"is not valid JSON: {error}"


def _is_cut_off(error: json.JSONDecodeError) -> bool:
    return error.pos >= len(error.doc.rstrip()) - 1 or error.msg.startswith("Unterminated string")


def migrated(data: Any, chain: Mapping[int, Migration] = MIGRATIONS, newest: int = VERSION) -> Any:
    """Return a document as plain values in the newest version. Raises SettingsError for one from the future.

    What has no version is taken for the newest one: who writes by hand leaves it out.
    """
    if not isinstance(data, dict):
        raise SettingsError((FieldFault("document", 'must be an object with sections, as {"pool": {…}}'),))
    version = data.get("version", newest)
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise SettingsError((FieldFault("version", f"must be a whole number from 1 to {newest}"),))
    if version > newest:
        raise SettingsError(
            (
                FieldFault(
                    "version",
                    f"is {version}, written by a newer version of this application; "
                    f"this one reads up to {newest}: update it, or restore an older version of the settings",
                ),
            )
        )
    while version < newest:
        data = chain[version](data)
        version += 1
        data = data | {"version": version}
    return data


def check(data: object) -> Settings:
    """Check a settings document as plain values. Raises SettingsError with a sentence per fault."""
    try:
        return Settings.model_validate(data)
    except ValidationError as error:
        raise SettingsError(tuple(_faults(error))) from None


def dump(settings: Settings) -> str:
    """Write the whole document as indented JSON, decimals as text."""
    return settings.model_dump_json(indent=2)  # `json` indents ten times as slowly


def get(settings: Settings, path: str) -> Any:
    """Return the plain value at a dotted path; an empty path is the whole document. Raises SettingsError."""
    value: Any = settings.model_dump(mode="json")
    for step in _steps(path):
        value = _child(value, step, path)
    return value


def with_value(settings: Settings, path: str, value: object) -> Settings:
    """Return the settings with one value changed. Raises SettingsError that names the field."""
    steps = _steps(path)
    if not steps:
        return check(value)
    data: Any = settings.model_dump(mode="json")
    place = data
    if steps[0] == "accounts" and len(steps) == 3:
        place["accounts"].setdefault(steps[1], {})  # an account has its settings before the first is changed
    for step in steps[:-1]:
        place = _child(place, step, path)
    _assign(place, steps[-1], value, path)
    return check(data)


def _steps(path: str) -> list[str]:
    return path.split(".") if path else []


def _child(value: Any, step: str, path: str) -> Any:
    if isinstance(value, dict) and step in value:
        return value[step]
    if isinstance(value, list) and step.isdigit() and int(step) < len(value):
        return value[int(step)]
    raise SettingsError((FieldFault(path, "there is no such setting"),))


def _assign(place: Any, step: str, value: object, path: str) -> None:
    if isinstance(place, dict):
        place[step] = value
    elif isinstance(place, list) and step.isdigit() and int(step) < len(place):
        place[int(step)] = value
    else:
        raise SettingsError((FieldFault(path, "there is no such setting"),))


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number that can be used")


def _faults(error: ValidationError) -> list[FieldFault]:
    return [FieldFault(_path(entry["loc"]), _sentence(entry)) for entry in error.errors(include_url=False)]


def _no_such_setting(loc: tuple[int | str, ...]) -> str:
    """Say that there is none of that name, and which one may be meant."""
    kind: Any = Settings
    for part in loc[:-1]:
        field = kind.model_fields.get(part) if _is_section(kind) else None
        kind = field.annotation if field is not None else None
    names = list(kind.model_fields) if _is_section(kind) else []
    near = get_close_matches(str(loc[-1]), names, 1)
    return f"there is no such setting; is {near[0]} meant?" if near else "there is no such setting"


def _is_section(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Section)


def _path(loc: tuple[int | str, ...]) -> str:
    hidden = {"literal['auto']", "bool"}  # pydantic names the branches of a union in the path
    return ".".join(str(part) for part in loc if part not in hidden) or "document"


def _limit(value: object) -> str:
    """Write a limit; pydantic hands over a decimal one as it looks in code."""
    return str(value).removeprefix("Decimal('").removesuffix("')")


_SENTENCES: dict[str, Callable[[dict[str, Any]], str]] = {
    "string_too_long": lambda c: f"must have at most {c['max_length']} characters",
    "string_too_short": lambda _: "is missing",
    "string_pattern_mismatch": lambda _: "may have letters, digits, spaces and . _ - only",
    "too_long": lambda c: f"must have at most {c['max_length']} entries",
    "tuple_type": lambda _: "must be a list",
    "dict_type": lambda _: "must be an object of names and values",
    "model_type": lambda _: "must be an object of names and values",
    "model_attributes_type": lambda _: "must be an object of names and values",
    "missing": lambda _: "is missing",
    "greater_than": lambda c: f"must be above {_limit(c['gt'])}",
    "greater_than_equal": lambda c: f"must be at least {_limit(c['ge'])}",
    "less_than": lambda c: f"must be below {_limit(c['lt'])}",
    "less_than_equal": lambda c: f"must be at most {_limit(c['le'])}",
    "enum": lambda c: f"must be one of {c['expected']}",
    "literal_error": lambda c: f"must be {c['expected']}",
    "value_error": lambda c: str(c["error"]),
    "decimal_parsing": lambda _: "must be a number",
    "decimal_type": lambda _: "must be a number",
    "int_parsing": lambda _: "must be a whole number",
    "int_type": lambda _: "must be a whole number",
    "int_from_float": lambda _: "must be a whole number",
    "bool_parsing": lambda _: "must be true or false",
    "bool_type": lambda _: "must be true or false",
    "string_type": lambda _: "must be text",
    "finite_number": lambda _: "must be a finite number",
}


def _sentence(entry: Any) -> str:
    if entry["type"] == "extra_forbidden":
        return _no_such_setting(entry["loc"])
    write = _SENTENCES.get(entry["type"])
    return write(entry.get("ctx", {})) if write else str(entry["msg"])
