"""Texts: normalization is idempotent, and all accepted characters can be stored."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mainsheet.models import limits
from mainsheet.models.text import Form

ANY = st.text(st.characters(exclude_categories=()), max_size=20)
FORMS = {Form.NAME: limits.NAME, Form.PROSE: limits.DESCRIPTION, Form.CODE: limits.ARGUMENT}


@given(ANY)
@pytest.mark.parametrize("form", Form)
def test_normalization_is_idempotent(form: Form, text: str) -> None:
    assert form.normal(form.normal(text)) == form.normal(text)


@given(ANY)
@pytest.mark.parametrize("form", Form)
def test_accepted_texts_can_be_stored(form: Form, text: str) -> None:
    value = form.normal(text)

    if not list(FORMS[form].check(value, ())):
        assert limits.storable(value)
        assert value.encode().decode() == value
        assert "\0" not in value


def test_a_stored_text_in_another_form_is_reported() -> None:
    (problem,) = limits.NAME.check(" etl", ("name",))

    assert problem.message == "Must have no spaces at its ends, and be in Unicode's normal form NFC."
