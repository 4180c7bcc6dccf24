"""The reference of the settings is current and whole."""

from execution_engine.domain import schema
from execution_engine.domain.templates import TEMPLATES
from tests.reference.settings import DOCUMENT, document


def test_the_reference_is_current() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == document(), "run: python -m tests.reference"


def test_every_setting_stands_in_it_with_its_sentence() -> None:
    written = document()
    for setting in (*schema.settings(), *schema.of_account("NAME")):
        assert f"| `{setting.path}` |" in written
        assert setting.help in written


def test_every_value_of_a_template_stands_in_it() -> None:
    written = document()
    assert all(f"| `{path}` | " in written for template in TEMPLATES for path in template.values)
    assert len({tuple(template.values) for template in TEMPLATES}) == 1
