"""An error that is shown for hours holds nothing but its words."""

import gc
import weakref

from sealane.errors import ApiError, ConnectTransport, IllegalState
from sealane.remote.kept_errors import bounded, without_frames


class Answer:
    """What a frame holds while an error passes through it."""


def failed(watched: list[weakref.ref[Answer]]) -> ApiError:
    answer = Answer()
    watched.append(weakref.ref(answer))
    try:
        try:
            raise OSError(111, "Connection refused")
        except OSError as refused:
            raise IllegalState("inner") from refused
    except ApiError as inner:
        outer = ConnectTransport("outer", caused_by=inner, suppressed=[inner])
        outer.__cause__ = inner
        return outer


def test_frames_are_let_go_and_causes_kept() -> None:
    watched: list[weakref.ref[Answer]] = []
    gc.disable()
    try:
        error = failed(watched)
        assert watched[0]() is not None
        assert without_frames(error) is error
        assert watched[0]() is None
    finally:
        gc.enable()
    assert isinstance(error.__cause__, IllegalState)
    assert isinstance(error.__cause__.__cause__, OSError)


def test_an_error_that_is_its_own_context_ends() -> None:
    one, other = IllegalState("one"), IllegalState("other")
    one.__context__, other.__context__ = other, one
    assert without_frames(one) is one


def test_few_warnings_stay_as_they_are() -> None:
    assert bounded(["a", "b"]) == ["a", "b"]
    many = bounded([str(number) for number in range(50)])
    assert (len(many), many[19], many[20]) == (21, "19", "and [30] more like these")
