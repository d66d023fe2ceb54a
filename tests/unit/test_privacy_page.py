"""`docs/privacy.md` tells users what they must know."""

from __future__ import annotations

from pathlib import Path

import pytest

from vedette._privacy.collection import BODY_TYPES, FIELDS, MODES
from vedette._privacy.denylist import EXTENDED_TERMS, SENSITIVE_TERMS

PAGE = (Path(__file__).parents[2] / "docs" / "privacy.md").read_text(encoding="utf-8")


@pytest.mark.spec("DAT-31")
def test_the_page_lists_all_terms():
    assert all(f"`{term}`" in PAGE for term in (*SENSITIVE_TERMS, *EXTENDED_TERMS))
    assert '"terms": ["forwarded", "-ip", "remote-", "via", "-user"]' in PAGE


def test_the_page_names_each_field_mode_and_body_type():
    assert all(f"`{name}`" in PAGE for name in (*FIELDS, *BODY_TYPES))
    assert all(f'"{mode}"' in PAGE for mode in MODES)


@pytest.mark.spec("DAT-44", "DAT-114")
def test_the_page_tells_how_names_are_hidden_and_that_state_may_hold_personal_data():
    assert "## Taking out more, names too" in PAGE
    assert "def before_send(event, hint):" in PAGE
    assert "personal data: SQL texts" in PAGE
