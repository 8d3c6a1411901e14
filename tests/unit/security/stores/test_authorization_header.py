"""The header `Authorization`, taken apart."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealane.errors import AuthenticationFailed
from sealane.model.security import Secret
from sealane.security.stores.authorization_header import ApiKey, Basic, Bearer, read


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_its_kinds() -> None:
    assert read(Secret(f"Basic {encoded('a:b:c')}")) == Basic("a", Secret("b:c"))
    assert read(Secret(f"bAsIc   {encoded('a:')}")) == Basic("a", Secret(""))
    assert read(Secret(f"ApiKey {encoded('id:s')}")) == ApiKey("id", Secret("s"))
    assert read(Secret("ApiKey !!")) == ApiKey(None, None)
    assert read(Secret("Bearer x")) == Bearer()
    for none in ("", "Basic", "Basic ", "Digest x", "Negotiate"):
        assert read(Secret(none)) is None
    assert read(None) is None


def test_padding_may_be_left_out() -> None:
    assert read(Secret(f"Basic {encoded('ab:c').rstrip('=')}")) == Basic("ab", Secret("c"))


def test_secrets_are_not_shown() -> None:
    """X-111."""
    for header in (f"Basic {encoded('a:planted')}", f"ApiKey {encoded('a:planted')}"):
        assert "planted" not in repr(read(Secret(header)))


@pytest.mark.parametrize("header", ["Basic planted!", "Basic planted", "Basic " + "a" * 5])
def test_errors_show_nothing_of_the_header(header: str) -> None:
    """X-111."""
    with pytest.raises(AuthenticationFailed) as caught:
        read(Secret(header))
    assert "planted" not in str(caught.value.to_body())


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    for header in (text, f"Basic {text}", f"ApiKey {text}"):
        try:
            read(Secret(header))
        except AuthenticationFailed:
            pass
