"""The documentation: it becomes a site without a warning, leads nowhere that is not there, and fetches nothing."""

import argparse
import ast
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from execution_engine.cli import parser

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
LARGEST_PICTURE = 200_000
FETCHED = {"link": "href", "script": "src", "img": "src", "source": "src", "iframe": "src", "object": "data"}


@dataclass
class Page(HTMLParser):
    """What a page of the site points to, and what can be pointed to in it."""

    path: Path
    links: list[str] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)
    places: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.places |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        elif given.get(FETCHED.get(tag, "")) and given.get("rel") != "canonical":
            self.fetched.append(given[FETCHED[tag]])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [
            sys.executable,
            "-m",
            "mkdocs",
            "build",
            "--strict",
            "-f",
            str(ROOT / ".mkdocs.yml"),
            "-d",
            str(target),
        ],
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stderr
    assert "WARNING" not in built.stderr
    return target


def test_every_page_is_in_the_site_and_everything_it_points_to_is_there(site: Path):
    pages = {path: Page(path) for path in site.rglob("*.html") if path.name != "404.html"}
    written = {path.relative_to(DOCS).with_suffix(".html") for path in DOCS.rglob("*.md")}
    assert {path.relative_to(site) for path in pages} == written
    wrong = []
    for path, page in pages.items():
        for link in [*page.links, *page.fetched]:
            url = urlsplit(link)
            if url.scheme or url.netloc:
                if link in page.fetched:
                    wrong.append(f"{path.name} fetches {link}")
                continue
            target = (path.parent / unquote(url.path)).resolve() if url.path else path
            if not target.is_file():
                wrong.append(f"{path.name} points to {link}, which is not there")
            elif url.fragment and target in pages and unquote(url.fragment) not in pages[target].places:
                wrong.append(f"{path.name} points to {link}, a place that is not in that page")
    assert wrong == []


def test_nothing_of_the_site_is_loaded_from_elsewhere(site: Path):
    styles = "".join(path.read_text(encoding="utf-8") for path in site.rglob("*.css"))
    assert not re.findall(r"(?:@import\s+|url\()[\"']?(?:https?:)?//[^)\"']+", styles)


def test_every_picture_is_used_and_small():
    told = "".join(path.read_text(encoding="utf-8") for path in [*DOCS.rglob("*.md"), ROOT / "README.md"])
    for picture in (DOCS / "images").iterdir():
        assert f"images/{picture.name}" in told, f"{picture.name} is shown nowhere"
        assert picture.stat().st_size < LARGEST_PICTURE, f"{picture.name} is too large"


def test_the_first_page_of_the_project_points_to_what_is_there():
    links = re.findall(r"\]\(([^)#]+)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert links
    assert [link for link in links if "://" not in link and not (ROOT / link).exists()] == []


def said() -> str:
    """Return every text of the program; what is filled in later stands as one strange character."""
    texts = []
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                parts = (part.value if isinstance(part, ast.Constant) else "\0" for part in node.values)
                texts.append("".join(map(str, parts)))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.append(node.value)
    return "\n".join(re.sub(r"\{\w+\}", "\0", text).replace("\n", " ") for text in texts)


def quoted(page: str) -> list[str]:
    """Return what a page says that the program says; of a table, what stands in its first column."""
    text = (DOCS / "guide" / page).read_text(encoding="utf-8")
    shown = (line.split(" | ")[0] if line.startswith("|") else line for line in text.splitlines())
    return re.findall("“([^”]+)”", " ".join(" ".join(shown).split()))


def test_what_the_guide_has_the_program_say_is_what_it_says():
    sentences = [*quoted("troubleshooting.md"), *quoted("exchanges.md")]
    assert len(sentences) > 60
    texts = said()
    for sentence in sentences:
        parts = [re.escape(part.strip()) for part in sentence.split("…") if part.strip(" .()")]
        assert re.search(".*".join(parts), texts), f"nothing says “{sentence}”"


def test_every_command_is_on_the_page_about_the_command_line():
    page = (DOCS / "guide" / "command-line.md").read_text(encoding="utf-8")
    top = parser()
    (commands,) = (each for each in top._actions if isinstance(each, argparse._SubParsersAction))
    options = {name for each in top._actions for name in each.option_strings if name.startswith("--")}
    for word in [*commands.choices, *(options - {"--help", "--version"})]:
        assert re.search(rf"`(?:[^`]*[ |])?{re.escape(word)}[ `\\|]", page), f"{word} is not explained"
