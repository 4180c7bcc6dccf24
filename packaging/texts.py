"""Bring the catalogues of translations up to date: texts.py [LANGUAGE …]

Collects the English texts of the window (`tr("…")`, `later("…")`), the settings with their titles and words, and the
sentences of domain, engine and adapters, into packaging/translations/execution_engine_LANGUAGE.ts, keeping
what is translated there and dropping what nothing says any more. What the program reads is made of them in
resources/translations: a compiled .qm for each language, and sentences.json with the templates by which the window
recognises a sentence of the engine.
"""

from __future__ import annotations

import ast
import importlib.util
import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from pathlib import Path

from execution_engine.domain import schema
from execution_engine.domain.audit import Act
from execution_engine.domain.facts import Category
from execution_engine.domain.instrument import Action, Side
from execution_engine.domain.notify_kinds import KINDS
from execution_engine.domain.origin import Origin
from execution_engine.domain.rows import Mode, World
from execution_engine.domain.settings import MarginMode
from execution_engine.domain.signal import Outcome
from execution_engine.domain.templates import TEMPLATES
from execution_engine.ui.tongue import CONTEXT, FIELD, SENTENCES

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "execution_engine"
TRANSLATIONS = ROOT / "packaging" / "translations"
COMPILED = ROOT / "resources" / "translations"
HEAD = '<?xml version="1.0" encoding="utf-8"?>\n<!DOCTYPE TS>\n'
MARKS = frozenset({"tr", "later"})

Key = tuple[str, str]  # a text, and what it means where that has to be said


@dataclass
class Text:
    """One text and where it stands, as path:line below the checkout."""

    text: str
    meaning: str = ""
    places: list[str] = field(default_factory=list)


def collect() -> dict[Key, Text]:
    """Return every text that can be translated, those of the window first."""
    found: dict[Key, Text] = {}
    for part in (window(), settings(), words(), engine()):
        for text, meaning, place in part:
            found.setdefault((text, meaning), Text(text, meaning)).places.append(place)
    return found


# -- the window


def window(marks: frozenset[str] = MARKS) -> Iterator[tuple[str, str, str]]:
    """Yield what stands in `tr(…)` and `later(…)`."""
    for path in sorted(SOURCE.rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        if "ui.tongue import" not in source:
            continue
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in marks:
                words = [arg.value for arg in node.args if isinstance(arg, ast.Constant)]
                if len(words) == len(node.args) and words:
                    yield words[0], words[1] if len(words) > 1 else "", _place(path, node)


def noted() -> set[str]:
    """Return the texts that are written down in English and translated where they are shown."""
    return {text for text, _, _ in window(frozenset({"later"}))}


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _place(path: Path, node: ast.AST) -> str:
    return f"{path.relative_to(ROOT).as_posix()}:{getattr(node, 'lineno', 0)}"


# -- the settings


def settings() -> Iterator[tuple[str, str, str]]:
    """Yield the words of the settings: sections, titles, helps, units, choices."""
    place = "src/execution_engine/domain/settings.py"
    for title, sentence in schema.SECTIONS.values():
        yield title, "", "src/execution_engine/domain/schema.py"
        yield sentence, "", "src/execution_engine/domain/schema.py"
    for each in (*schema.settings(), *schema.of_account("")):
        for text in (each.title, each.help, *(word for _, word in each.choices)):
            if re.search("[A-Za-z]{2}", text):
                yield text, "", place


# -- single words of the engine: states, sides, kinds of events

WORDS: tuple[type[StrEnum], ...] = (Side, Action, Mode, World, MarginMode, Outcome)
HEADINGS: tuple[type[StrEnum], ...] = (Act, Category, Origin)
# Words that the engine puts into its sentences as values, by the file they stand in.
VALUES = {
    "adapters/exchanges/ccxt_check.py": ("hedge", "one-way"),
    "adapters/security/strength.py": (
        *("weak", "fair", "good", "strong"),
        *("second", "seconds", "minute", "minutes", "hour", "hours", "day", "days", "year", "years"),
        "centuries",
    ),
    "adapters/webhook/alerts.py": ("nowhere",),
    "adapters/webhook/authentication.py": ("signature",),
    "domain/account_commands.py": ("entered", "removed"),
    "domain/changes.py": ("on", "off", "empty"),
    "domain/ranking.py": ("once", "twice"),
    "domain/risk_hindsight.py": ("a loser",),
    "unlocking.py": ("set",),
}


def words() -> Iterator[tuple[str, str, str]]:
    """Yield the words that the window makes of names in the code: entry_filled → Entry filled."""
    for kinds, capital in ((WORDS, False), (HEADINGS, True)):
        for kind in kinds:
            for each in kind:
                word = each.value.replace("_", " ")
                yield (
                    word.capitalize() if capital else word,
                    "",
                    f"src/{kind.__module__.replace('.', '/')}.py",
                )
    for name, said in VALUES.items():
        for word in said:
            yield word, "", f"src/execution_engine/{name}"
    for each in TEMPLATES:
        yield each.name, "", "src/execution_engine/domain/templates.py"
    for target in KINDS:
        for title in (target.title, *(each.title for each in target.fields)):
            yield title, "", "src/execution_engine/domain/notify_kinds.py"
    for path in told_by():
        for node in ast.walk(parsed(path)):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "tell"
            ):
                code = node.args[0] if node.args else None
                if isinstance(code, ast.Constant) and isinstance(code.value, str):
                    yield code.value.replace("_", " ").capitalize(), "", _place(path, node)
    yield from advice()


def advice() -> Iterator[tuple[str, str, str]]:
    """Yield what zxcvbn says about a password that is easy to guess; `strength.py` ends each with a full stop."""
    spec = importlib.util.find_spec("zxcvbn")  # found, not imported: its word lists take 11 MB
    assert spec is not None
    assert spec.origin is not None
    for node in _sentences(parsed(Path(spec.origin).with_name("feedback.py"))):
        if isinstance(node, ast.Constant) and node.value.count(" ") > 1:
            yield node.value.removesuffix(".") + ".", "", "src/execution_engine/adapters/security/strength.py"


# -- the engine

# What is written for programs or into the log alone.
NOT_TOLD = frozenset(
    {"compile", "execute", "executemany", "getattr", "setattr", "hasattr", "exec_driver_sql", "spawn"}
)
LOGGED = frozenset({"debug", "info", "warning", "error", "exception", "critical", "log"})
NOT_RAISED = frozenset(
    {"ValueError", "TypeError", "KeyError", "RuntimeError", "AssertionError", "LookupError"}
)
SQL = re.compile(r"\s*(SELECT|INSERT|CREATE|UPDATE|DELETE|PRAGMA|WITH|ALTER|DROP|BEGIN|VACUUM|REPLACE)\b")
SILENT = (
    "adapters/control",
    "adapters/diagnostics",
    "adapters/metrics",
    "adapters/logs",
    "adapters/exchanges/catalogue",
    "adapters/exchanges/ccxt_import",
    "adapters/exchanges/paper_faults",
    "adapters/exchanges/paper_tables",
    "adapters/storage/codec",
    "adapters/storage/connect",
    "adapters/storage/migrations",
    "adapters/storage/statements",
    "adapters/storage/tables",
    "domain/replacing",
)
IN_TERMINALS = ("cli.py", "__main__.py", "doctor.py", "commands.py", "asking.py")


def engine() -> Iterator[tuple[str, str, str]]:
    """Yield the sentences of the engine, with their values as fields: {group} waits for {price}."""
    for path in told_by():
        for node in _sentences(parsed(path)):
            text = template(node).strip()  # it is looked for without what joins it to others
            if is_sentence(text):
                yield text, "", _place(path, node)


def told_by() -> list[Path]:
    """Return the files whose sentences reach the window."""
    wings = [SOURCE / "domain", SOURCE / "engine", SOURCE / "adapters"]
    paths = [path for wing in wings for path in sorted(wing.rglob("*.py"))] + sorted(SOURCE.glob("*.py"))
    return [
        path
        for path in paths
        if not path.relative_to(SOURCE).as_posix().startswith(SILENT)
        and not (path.parent == SOURCE and path.name in IN_TERMINALS)
    ]


def _sentences(tree: ast.AST) -> Iterator[ast.expr]:
    """Yield the texts of a file that are no docstrings, keys, comparisons or types."""
    left = [tree]
    while left:
        node = left.pop()
        if isinstance(node, ast.JoinedStr) or (
            isinstance(node, ast.Constant) and isinstance(node.value, str)
        ):
            yield node
            if isinstance(node, ast.JoinedStr):  # what stands within one may be told by itself
                left += [part.value for part in node.values if isinstance(part, ast.FormattedValue)]
            continue
        left += list(_inner(node))


def _inner(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return
    if isinstance(node, ast.Call):
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        logged = called in LOGGED and ast.unparse(node.func).startswith(("log.", "logger."))
        if logged or called in NOT_TOLD or called in NOT_RAISED or called in MARKS:
            return
    if isinstance(node, ast.Compare | ast.match_case):
        yield from (each for each in ast.iter_child_nodes(node) if isinstance(each, ast.stmt))
        return
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "keys", "slice"):
            continue
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, ast.AST):
                yield each


def template(node: ast.expr) -> str:
    """Return a text with its values as numbered fields."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    assert isinstance(node, ast.JoinedStr)
    parts, count = [], 0
    for part in node.values:
        if isinstance(part, ast.Constant):
            parts.append(str(part.value).replace("{", "{{").replace("}", "}}"))
        else:
            parts.append(f"{{v{count}}}")
            count += 1
    return "".join(parts)


def is_sentence(text: str) -> bool:
    """Tell whether a text is for people: two words of its own, or one beside a value."""
    bare = FIELD.sub("", text)
    if SQL.match(text) or re.search(r"[\\|]|[a-z]\(|\?\)|: <\d|\*\*\*|\x00", text):  # a query or a pattern
        return False
    if bare != text and re.search(r"(?<![\w.:/=-])[a-z]{4,}(?![\w.:/=-])", bare) and " " in text:
        return True
    return len(re.findall(r"[A-Za-z]{2,}", bare)) >= 2 and " " in bare.strip()


def templates(found: dict[Key, Text]) -> list[str]:
    """Return what stands in the database with values in it: sentences of the engine, and notes of the window."""
    kept = {text for text, _, _ in engine() if (text, "") in found} | noted()
    return sorted(text for text in kept if FIELD.search(text))


# -- the catalogues


def read(path: Path) -> dict[Key, tuple[str, bool]]:
    """Return the translations of a catalogue, and whether each is finished."""
    if not path.is_file():
        return {}
    known = {}
    for message in ET.parse(path).getroot().iter("message"):
        said = message.find("translation")
        if said is not None:
            key = (message.findtext("source") or "", message.findtext("comment") or "")
            known[key] = (said.text or "", said.get("type") != "unfinished")
    return known


def write(path: Path, language: str, found: dict[Key, Text], known: dict[Key, tuple[str, bool]]) -> None:
    """Write a catalogue as Qt's Linguist reads it."""
    root = ET.Element("TS", version="2.1", language=language, sourcelanguage="en")
    context = ET.SubElement(root, "context")
    ET.SubElement(context, "name").text = CONTEXT
    for key, text in found.items():
        message = ET.SubElement(context, "message")
        # Without line numbers, which would change with every edit.
        for place in dict.fromkeys(place.partition(":")[0] for place in text.places):
            ET.SubElement(message, "location", filename=f"../../{place}")
        ET.SubElement(message, "source").text = text.text
        if text.meaning:
            ET.SubElement(message, "comment").text = text.meaning
        said, finished = known.get(key, ("", False))
        element = ET.SubElement(message, "translation")
        element.text = said
        if not finished or not said:
            element.set("type", "unfinished")
    ET.indent(root, "    ")
    path.write_text(HEAD + ET.tostring(root, encoding="unicode") + "\n", encoding="utf-8")


def compile_(path: Path, folder: Path = COMPILED) -> None:
    """Compile a catalogue into what the program reads."""
    lrelease = Path(sys.executable).with_name("pyside6-lrelease")
    target = folder / f"{path.stem}.qm"
    subprocess.run([str(lrelease), "-silent", str(path), "-qm", str(target)], check=True)


def main(languages: list[str]) -> int:
    for folder in (TRANSLATIONS, COMPILED):
        folder.mkdir(parents=True, exist_ok=True)
    found = collect()
    listed = templates(found)
    (COMPILED / SENTENCES).write_text(
        json.dumps(listed, ensure_ascii=False, indent=0) + "\n", encoding="utf-8"
    )
    paths = sorted(TRANSLATIONS.glob("execution_engine_*.ts"))
    given = [TRANSLATIONS / f"execution_engine_{each}.ts" for each in languages]
    for path in dict.fromkeys([*paths, *given]):
        known = read(path)
        write(path, path.stem.rpartition("_")[2], found, known)
        compile_(path)
        done = sum(1 for key in found if known.get(key, ("", False))[1] and known[key][0])
        gone = sum(1 for key in known if key not in found)
        print(f"{path.name}: {len(found)} texts, {done} translated, {gone} dropped")
    print(f"{len(listed)} templates of the engine's sentences")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
