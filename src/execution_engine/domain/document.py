"""The settings document as text and by its paths: checked, written, read and changed; a sentence per fault."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from execution_engine.domain.errors import FieldFault, SettingsError
from execution_engine.domain.settings import Settings


def parse(document: str | bytes) -> Settings:
    """Check a settings document (JSON text). Raises SettingsError with a sentence per fault."""
    try:
        data = json.loads(document, parse_float=Decimal, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise SettingsError((FieldFault("document", f"is not valid JSON: {error}"),)) from None
    return check(data)


def check(data: object) -> Settings:
    """Check a settings document as plain values. Raises SettingsError with a sentence per fault."""
    try:
        return Settings.model_validate(data)
    except ValidationError as error:
        raise SettingsError(tuple(_faults(error))) from None


def dump(settings: Settings) -> str:
    """Write the whole document as indented JSON, decimals as text."""
    return json.dumps(settings.model_dump(mode="json"), indent=2, ensure_ascii=False)


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


def _path(loc: tuple[int | str, ...]) -> str:
    hidden = {"literal['auto']", "bool"}  # pydantic names the branches of a union in the path
    return ".".join(str(part) for part in loc if part not in hidden) or "document"


_SENTENCES: dict[str, Callable[[dict[str, Any]], str]] = {
    "extra_forbidden": lambda _: "there is no such setting",
    "missing": lambda _: "is missing",
    "greater_than": lambda c: f"must be above {c['gt']}",
    "greater_than_equal": lambda c: f"must be at least {c['ge']}",
    "less_than": lambda c: f"must be below {c['lt']}",
    "less_than_equal": lambda c: f"must be at most {c['le']}",
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
    write = _SENTENCES.get(entry["type"])
    return write(entry.get("ctx", {})) if write else str(entry["msg"])
