"""Strangers cannot fill the log."""

import logging

from sealane.cli.seldom import Seldom


def said(seldom: Seldom, *, at_s: float, text: str = "closing [%s]", argument: str = "a") -> str:
    """What is logged of this record, nothing where it is left out."""
    record = logging.LogRecord("sealane", logging.WARNING, "", 1, text, (argument,), None)
    record.created = at_s
    return record.getMessage() if seldom.filter(record) else ""


def test_a_text_that_comes_again_and_again_is_left_out_and_counted() -> None:
    seldom = Seldom("sealane", most=3, within_s=60)
    assert said(seldom, at_s=100, argument="1") == "closing [1]"
    assert said(seldom, at_s=101, argument="2") == "closing [2]"
    assert said(seldom, at_s=102, argument="3") == (
        "closing [3] (more like this are left out for 60 seconds)"
    )
    assert [said(seldom, at_s=103), said(seldom, at_s=159)] == ["", ""]
    assert said(seldom, at_s=160, argument="4") == (
        "closing [4] (2 like this before it were left out)"
    )
    assert said(seldom, at_s=161, argument="5") == "closing [5]"


def test_other_texts_are_not_held_back() -> None:
    seldom = Seldom("sealane", most=1, within_s=60)
    assert said(seldom, at_s=100)
    assert not said(seldom, at_s=100)
    assert said(seldom, at_s=100, text="another [%s]")


def test_what_the_operator_causes_is_never_left_out() -> None:
    seldom = Seldom("sealane.transport", most=1)
    assert all(said(seldom, at_s=100) == "closing [a]" for _ in range(100))


def test_a_clock_that_goes_back_begins_anew() -> None:
    seldom = Seldom("sealane", most=1, within_s=60)
    assert said(seldom, at_s=100)
    assert said(seldom, at_s=40)


def test_what_is_remembered_is_bounded() -> None:
    seldom = Seldom("sealane")
    for number in range(3000):
        said(seldom, at_s=100, text=f"{number} [%s]")
    assert len(seldom._windows) <= 1000
