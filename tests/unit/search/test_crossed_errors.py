"""A failed search of another cluster, as 8.19 shows it once it has crossed the wire."""

from sealane.errors import (
    ApiError,
    ConnectTransport,
    IllegalArgument,
    ParseError,
    QueryShardError,
)
from sealane.search.failed_shards import as_crossed, failed_shard, search_failed, tell_types


def failed(error: ApiError, *, partly: bool = False) -> ApiError:
    return search_failed([failed_shard(0, "eu:i", error)], partly=partly)


def test_the_cause_is_the_first_shards_root_cause() -> None:
    cause = QueryShardError("failed to create query", caused_by=IllegalArgument("x"))
    error = failed(cause)
    assert error.caused_by is None
    assert as_crossed(error).caused_by is cause


def test_a_plain_exception_is_below_one_without_a_name() -> None:
    """The reference wraps it in a class that has none, and shows both."""
    for partly in (False, True):
        crossed = as_crossed(failed(IllegalArgument("Fielddata is disabled"), partly=partly))
        assert crossed.to_cause()["caused_by"] == {
            "type": "",
            "reason": ": Fielddata is disabled",
            "caused_by": {
                "type": "illegal_argument_exception",
                "reason": "Fielddata is disabled",
            },
        }


def test_what_failed_partly_here_has_no_cause() -> None:
    assert failed(IllegalArgument("Fielddata is disabled"), partly=True).caused_by is None
    assert failed(IllegalArgument("Fielddata is disabled")).caused_by is not None


def test_other_errors_are_left_alone() -> None:
    error = ConnectTransport("no")
    assert as_crossed(error) is error
    assert error.caused_by is None


def test_what_the_reference_cannot_send_tells_its_type() -> None:
    """As 8.19 shows them of a remote: the parser of query_string and that of dates are not its own classes."""
    inner = ParseError("Encountered '<EOF>'")
    syntax = ParseError("Cannot parse 'a:(': Encountered '<EOF>'", caused_by=inner)
    crossed = as_crossed(failed(QueryShardError("Failed to parse query", caused_by=syntax)))
    cause = crossed.to_cause()["caused_by"]["caused_by"]
    assert cause["reason"].startswith("parse_exception: Cannot parse 'a:('")
    assert cause["caused_by"]["reason"] == "parse_exception: Encountered '<EOF>'"
    shard = crossed.metadata["failed_shards"][0]["reason"]
    assert shard["caused_by"]["reason"] == cause["reason"]


def test_types_are_told_once() -> None:
    told = {"type": "date_time_parse_exception", "reason": "Failed to parse", "caused_by": None}
    for expected in (True, False):
        assert tell_types(told) is expected
        assert told["reason"] == "date_time_parse_exception: Failed to parse"
