"""Texts beside figures."""

import pytest

from sealane.rest.human import duration_text, with_texts


def test_each_figure_gets_its_text_before_it() -> None:
    shown = with_texts({"a": [{"size_in_bytes": 1536, "n": 1}], "uptime_in_millis": 88_166})
    assert shown == {
        "a": [{"size": "1.5kb", "size_in_bytes": 1536, "n": 1}],
        "uptime": "1.4m",
        "uptime_in_millis": 88_166,
    }
    assert list(shown) == ["a", "uptime", "uptime_in_millis"]
    assert with_texts({"next_in_millis": None}) == {"next_in_millis": None}


@pytest.mark.parametrize(
    ("millis", "text"),
    [
        (0, "0s"),
        (12, "12ms"),
        (1000, "1s"),
        (19_390, "19.3s"),
        (3_600_000, "1h"),
        (90_000_000, "1d"),
    ],
)
def test_durations(millis: int, text: str) -> None:
    assert duration_text(millis) == text
