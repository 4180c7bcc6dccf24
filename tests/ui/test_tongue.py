"""The language of the window: the catalogue has every text, keeps the fields, and is what the program reads."""

from __future__ import annotations

import ast
import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from PySide6.QtCore import QCoreApplication, QTranslator
from PySide6.QtWidgets import QApplication

from execution_engine.domain.settings import Language
from execution_engine.ui import tongue
from execution_engine.ui.format import counted
from execution_engine.ui.tongue import CONTEXT, FIELD, SENTENCES, source, tr, translated, wished

ROOT = Path(__file__).resolve().parents[2]
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
CATALOGUES = sorted((ROOT / "packaging" / "translations").glob("*.ts"))


def tool() -> ModuleType:
    """Return the program behind `make texts`."""
    spec = importlib.util.spec_from_file_location("texts", ROOT / "packaging" / "texts.py")
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    sys.modules["texts"] = made  # its dataclass looks itself up there
    spec.loader.exec_module(made)
    return made


texts = tool()
FOUND = texts.collect()


@pytest.fixture
def another(tmp_path: Path) -> Iterator[Path]:
    """Let a test speak a language that it makes up; English comes back afterwards."""
    yield tmp_path
    tongue.speak(tongue.ENGLISH, tmp_path)


def teach(folder: Path, words: dict[str, str]) -> None:
    """Write a catalogue of a few texts, and speak it."""
    found = {(text, ""): texts.Text(text) for text in words}
    known = {(text, ""): (said, True) for text, said in words.items()}
    texts.write(folder / "execution_engine_de.ts", "de", found, known)
    texts.compile_(folder / "execution_engine_de.ts", folder)
    (folder / SENTENCES).write_text(json.dumps([text for text in words if FIELD.search(text)]))
    tongue.speak("de", folder)


# -- the catalogues


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.stem)
def test_a_catalogue_has_every_text_and_no_other(path: Path):
    known = texts.read(path)
    assert sorted(FOUND.keys() - known.keys()) == [], "run `make texts`"
    assert sorted(known.keys() - FOUND.keys()) == [], "run `make texts`"


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.stem)
def test_a_translation_has_the_fields_of_its_text(path: Path):
    wrong = [
        f"{text!r} → {said!r}"
        for (text, _), (said, finished) in texts.read(path).items()
        if finished and set(FIELD.findall(said)) != set(FIELD.findall(text))
    ]
    assert wrong == []


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.stem)
def test_what_the_program_reads_is_what_the_catalogue_says(path: Path):
    compiled = QTranslator()
    known = texts.read(path)
    assert compiled.load(str(texts.COMPILED / f"{path.stem}.qm")) or not any(
        said for said, _ in known.values()
    )
    wrong = [
        text
        for (text, meaning), (said, _) in known.items()
        if (compiled.translate(CONTEXT, text, meaning or None) or "") != said
    ]
    assert wrong == [], "run `make texts`"


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.stem)
def test_every_text_is_translated(path: Path):
    assert [text for (text, _), (_, finished) in texts.read(path).items() if not finished] == []


def test_words_that_stand_as_values_are_still_in_their_files():
    for name, words in texts.VALUES.items():
        written = (texts.SOURCE / name).read_text(encoding="utf-8")
        assert [word for word in words if f'"{word}' not in written and f"'{word}'" not in written] == [], (
            name
        )


def test_the_templates_of_the_engines_sentences_are_those_of_the_source():
    listed = json.loads((texts.COMPILED / SENTENCES).read_text(encoding="utf-8"))
    assert listed == texts.templates(FOUND), "run `make texts`"


def test_window_settings_words_and_the_engine_are_collected():
    assert ("Close everything…", "") in FOUND  # a text of the window
    assert ("Open groups at most", "") in FOUND  # the title of a setting
    assert ("Keep grid", "") in FOUND  # a choice
    assert ("Group closed", "") in FOUND  # a kind of event
    assert ("{v0} has no open group", "") in FOUND or any("{v0}" in text for text, _ in FOUND)


# -- speaking


def test_english_is_what_stands_in_the_source():
    assert tongue.language() == "en"
    assert tr("Positions") == "Positions"
    assert source("Positions") == "Positions"
    assert translated("BTCUSDT waits for 3 things") == "BTCUSDT waits for 3 things"


def test_another_language_is_spoken_and_knows_the_way_back(another: Path):
    teach(another, {"Positions": "Positionen", "group": "Gruppe", "groups": "Gruppen"})
    assert tongue.language() == "de"
    assert tr("Positions") == "Positionen"
    assert source("Positionen") == "Positions"
    assert tr("Queue") == "Queue", "what has no translation stays English"
    assert [counted(count, tr("group"), tr("groups")) for count in (1, 2)] == ["1 Gruppe", "2 Gruppen"]


def test_a_sentence_of_the_engine_is_told_with_its_values(another: Path):
    teach(
        another,
        {
            "{v0} of {v1} legs filled": "{v1} Legs, davon {v0} gefüllt",
            "{v0} is closed: {v1}": "{v0} ist geschlossen: {v1}",
            "target reached": "Ziel erreicht",
            "It is tried again.": "Es wird erneut versucht.",
        },
    )
    assert translated("3 of 5 legs filled") == "5 Legs, davon 3 gefüllt"
    assert translated("BTCUSDT 1h is closed: target reached") == "BTCUSDT 1h ist geschlossen: Ziel erreicht"
    assert translated("3 of 5 legs filled. It is tried again.") == (
        "5 Legs, davon 3 gefüllt. Es wird erneut versucht."
    )
    assert (
        translated("nothing of the kind. It is tried again.")
        == "nothing of the kind. Es wird erneut versucht."
    )
    assert translated("no loss; 3 of 5 legs filled, target reached") == (
        "no loss; 5 Legs, davon 3 gefüllt, Ziel erreicht"
    )
    assert translated("Der Börse fehlt {etwas}") == "Der Börse fehlt {etwas}"


def test_what_has_no_template_leaves_nothing_behind(another: Path):
    teach(another, {"{v0} is closed: {v1}": "{v0} ist geschlossen: {v1}", "Positions": "Positionen"})
    tr("Positions")
    translated("order 0 is closed: for no reason")
    known = len(tongue._sources)
    for number in range(50):
        translated(f"order {number} is closed: for reason {number}")
    assert len(tongue._sources) == known
    assert source(tr("Positions")) == "Positions"


def test_what_goes_into_the_database_is_not_translated():
    """A note of a version of the settings is kept, and read in whatever language is spoken then."""
    for path in sorted((ROOT / "src" / "execution_engine").rglob("*.py")):
        text = path.read_text("utf-8")
        if "SaveSettings(" not in text:
            continue
        tree = ast.parse(text)
        spoken = {
            target.id
            for made in tree.body
            if isinstance(made, ast.Assign) and _is_tr(made.value)
            for target in made.targets
            if isinstance(target, ast.Name)
        }
        for each in ast.walk(tree):
            if (
                isinstance(each, ast.Call)
                and isinstance(each.func, ast.Name)
                and each.func.id == "SaveSettings"
            ):
                notes = [given.value for given in each.keywords if given.arg == "note"]
                assert not any(_is_tr(note) for note in notes), f"{path}:{each.lineno}"
                assert not any(isinstance(note, ast.Name) and note.id in spoken for note in notes), path


def _is_tr(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "tr"


def test_words_of_qt_itself_follow_and_come_back(qapp: QApplication, another: Path):
    def cancel() -> str:
        return QCoreApplication.translate("QPlatformTheme", "Cancel")

    teach(another, {"Positions": "Positionen"})
    assert cancel() == "Abbrechen"
    tongue.speak(tongue.ENGLISH, another)
    assert cancel() == "Cancel"


def test_a_language_without_a_catalogue_is_english(another: Path):
    tongue.speak("fr", another)
    assert tongue.language() == "en"
    assert tr("Positions") == "Positions"


def test_the_setting_names_a_language_or_asks_the_system():
    assert [wished(choice) for choice in (Language.ENGLISH, Language.GERMAN)] == ["en", "de"]
    assert wished(Language.SYSTEM) in ("en", "de")


# -- the window in another language


def test_what_is_imported_before_the_language_is_chosen_makes_no_words_then():
    roof = ast.parse((ROOT / "src/execution_engine/window.py").read_text(encoding="utf-8"))
    early = {
        each.module
        for each in roof.body
        if isinstance(each, ast.ImportFrom) and each.module and each.module.startswith("execution_engine.ui.")
    }
    assert "execution_engine.ui.desktop_notices" in early
    for name in sorted(early):
        module = ast.parse((ROOT / "src" / f"{name.replace('.', '/')}.py").read_text(encoding="utf-8"))
        made = [each for each in module.body if not isinstance(each, FUNCTIONS)]
        calls = [node for each in made for node in ast.walk(each) if isinstance(node, ast.Call)]
        assert not [node for node in calls if getattr(node.func, "id", "") == "tr"], name


def test_the_window_speaks_it_and_remembers_by_english_names(tmp_path: Path):
    """In a process of its own: pages take their words when they are imported."""
    texts.write(
        tmp_path / "execution_engine_de.ts",
        "de",
        FOUND,
        {key: (f"⟦{key[0]}⟧", True) for key in FOUND},
    )
    texts.compile_(tmp_path / "execution_engine_de.ts", tmp_path)
    (tmp_path / SENTENCES).write_text("[]")
    done = subprocess.run(
        [sys.executable, "-c", WINDOW, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, timeout=50
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert all(menu.startswith("⟦") for menu in said["menus"])
    assert said["pages"][:2] == ["⟦Dashboard⟧", "⟦Positions⟧"]
    assert said["columns"][0] == "⟦Position⟧"
    assert said["acts"][0] == "Pause", "acts are known by their English names"
    assert "positions.Positions" in said["remembered"]
    assert said["button"] in ("Abbrechen", "Schließen"), "Qt's own words are German"


ENGLISH = (
    *(
        "Dashboard",
        "Positions",
        "Queue",
        "Risk",
        "Performance",
        "Logs",
        "Settings",
        "Open",
        "Filled",
        "Waiting",
    ),
    *(
        "Close everything…",
        "Pause",
        "All accounts",
        "Unrealized",
        "Realized",
        "Message",
        "Save",
        "Add",
    ),
)


def test_every_page_is_german_where_german_is_set(tmp_path: Path):
    """By a start of the whole program, in a process of its own: the settings say it before pages are imported."""
    done = subprocess.run(
        [sys.executable, "-c", GERMAN, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, timeout=50
    )
    assert done.returncode == 0, done.stderr
    said: dict[str, list[str]] = json.loads(done.stdout.splitlines()[-1])
    assert list(said)[:3] == ["dashboard", "positions", "queue"]
    assert {page: sorted({*words} & {*ENGLISH}) for page, words in said.items()} == {
        page: [] for page in said
    }
    for page, word in (
        *(("dashboard", "Offene Positionen"), ("positions", "Positionen"), ("queue", "Warteschlange")),
        *(("risk", "Risiko"), ("signals", "Signale"), ("performance", "Auswertung"), ("logs", "Protokoll")),
        *(("settings", "Einstellungen"), ("away", "Während Ihrer Abwesenheit"), ("window", "Ansicht")),
    ):
        assert word in said[page], page


GERMAN = """
import asyncio, json, sys
from pathlib import Path
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLabel, QLineEdit
from execution_engine.core import Options
from execution_engine.domain.settings import PaperFeed
from execution_engine.main import Application
from execution_engine.ui.loop import Loop
from execution_engine.window import give_window
from tests.stories.installation import Installation

folder = Path(sys.argv[1]) / "data"
Installation(folder).configure(ui__language="deutsch")

def words(page):
    from execution_engine.ui.tables import RowsView  # has words of its own
    yield from (each.text() for kind in (QLabel, QAbstractButton) for each in page.findChildren(kind))
    yield from (each.placeholderText() for each in page.findChildren(QLineEdit))
    yield from (each.itemText(at) for each in page.findChildren(QComboBox) for at in range(each.count()))
    for view in page.findChildren(RowsView):
        yield from (column.title for column in view.rows_model.columns)

async def walk():
    application = Application(Options(data_dir=str(folder), port=0, paper_feed=PaperFeed.MANUAL))
    await asyncio.to_thread(application.open)
    windows = give_window(application, qt)
    try:
        await application.start()
        main = windows[0].main
        said = {place.key: list(words(main.stage.page(place.key))) for place in main.stage.places}
        return said | {"window": [action.text() for action in main.menuBar().actions()]}
    finally:
        await application.stop()
        windows[0].close()
        application.close()

qt = QApplication([])
loop = Loop(qt)
asyncio.set_event_loop(loop)
with loop:
    print(json.dumps(loop.run_until_complete(walk())))
"""

WINDOW = """
import json, sys
from pathlib import Path
from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QApplication
qt = QApplication([])
from execution_engine.ui import tongue
tongue.speak("de", Path(sys.argv[1]))
from execution_engine.ui.tables import RowsView
from tests.gallery.show import window_of
folder = Path(sys.argv[1]) / "house"
folder.mkdir()
window = window_of("full", folder, (1440, 900))
window.go("positions")
table = window.stage.page("positions").findChildren(RowsView)[0]
print(json.dumps({
    "menus": [action.text() for action in window.menuBar().actions()],
    "pages": [place.title for place in window.stage.places],
    "columns": [column.title for column in table.rows_model.columns],
    "acts": [window.acts.pause.objectName()],
    "remembered": list(window.memory._followed),
    "button": QCoreApplication.translate("QPlatformTheme", "Cancel"),
}))
window.put_away()
"""
