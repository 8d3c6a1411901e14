"""From an error to its cause: by what was raised, by its type, by the texts that are the reference's own."""

import errno
import ssl

import pytest

from sealane.errors import (
    ApiError,
    ConnectTransport,
    IllegalArgument,
    IllegalState,
    NodeDisconnected,
    ReceiveTimeout,
    TlsHandshake,
)
from sealane.model.node import Address
from sealane.remote.diagnosis.causes import Cause, cause_of, links
from sealane.transport import Step, faults
from sealane.transport.tls_failures import TlsFailure, TlsProblem
from sealane.wire.errors import HttpResponseReceived, RemoteProtocolError, UnsupportedVersion

AT = Address("10.0.0.1", 9300)


def caused(error: ApiError, cause: BaseException) -> ApiError:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("number", "cause"),
    [
        (errno.ECONNREFUSED, Cause.CONNECTION_REFUSED),
        (errno.ETIMEDOUT, Cause.CONNECT_TIMEOUT),
        (errno.EHOSTUNREACH, Cause.UNREACHABLE),
        (errno.ENETUNREACH, Cause.UNREACHABLE),
        (errno.EMFILE, Cause.OUT_OF_FILE_DESCRIPTORS),
        (errno.ENFILE, Cause.OUT_OF_FILE_DESCRIPTORS),
    ],
)
def test_what_the_system_says(number: int, cause: Cause) -> None:
    raised = OSError(number, "words of the system")
    assert cause_of(caused(faults.connect_failed("", "", AT, raised), raised)) is cause


def test_a_name_that_cannot_be_looked_up_for_want_of_a_descriptor() -> None:
    """Is no wrong name."""
    error = caused(faults.unknown_host("db"), OSError(errno.EMFILE, "Too many open files"))
    assert cause_of(error) is Cause.OUT_OF_FILE_DESCRIPTORS


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (faults.unknown_host("db"), Cause.UNKNOWN_HOST),
        (
            faults.connect_failed("", "", AT, OSError(errno.ECONNREFUSED, "x")),
            Cause.CONNECTION_REFUSED,
        ),
        (faults.connect_failed("", "", AT, OSError(errno.EHOSTUNREACH, "x")), Cause.UNREACHABLE),
        (faults.connect_timeout("", AT, 5), Cause.CONNECT_TIMEOUT),
        (faults.handshake_timeout("", AT, 5), Cause.HANDSHAKE_TIMEOUT),
        (faults.http_port("", AT), Cause.HTTP_PORT),
        (
            faults.general_failure(
                "", AT, "invalid internal transport message format, got (53,53)"
            ),
            Cause.NOT_A_TRANSPORT_PORT,
        ),
        (
            faults.general_failure(
                "",
                AT,
                "Received [handshake] message from unsupported version: [7.0.0] minimal "
                "compatible version is: [8.19.0]",
            ),
            Cause.VERSION_INCOMPATIBLE,
        ),
        (
            faults.general_failure("", AT, "the connection was closed during the handshake"),
            Cause.CLOSED_DURING_HANDSHAKE,
        ),
        (NodeDisconnected("[][10.0.0.1:9300][x] disconnected"), Cause.CLOSED_DURING_HANDSHAKE),
        (
            IllegalState(
                "handshake with [n] failed: remote cluster name [a] does not match expected "
                "remote cluster name [b]"
            ),
            Cause.WRONG_CLUSTER,
        ),
        (
            ConnectTransport("[][x] handshake failed. unexpected remote cluster name Cluster [a]"),
            Cause.WRONG_CLUSTER,
        ),
        (ConnectTransport("[n][x] unexpected remote node: expected"), Cause.UNEXPECTED_NODE),
        (
            IllegalArgument("node [n] does not have the [remote_cluster_client] role"),
            Cause.MISSING_ROLE,
        ),
        (
            ConnectTransport("[][x] connect round of remote cluster [a] gave up after [5s]"),
            Cause.OUT_OF_TIME,
        ),
        (IllegalState("something new"), Cause.OTHER),
    ],
)
def test_an_error_without_what_was_raised_below(error: ApiError, cause: Cause) -> None:
    """As it is after its way over the wire."""
    assert cause_of(error) is cause
    assert cause_of(ApiError.from_wire(error.to_wire())) is cause


@pytest.mark.parametrize(
    ("raised", "cause"),
    [
        (HttpResponseReceived("an answer"), Cause.HTTP_PORT),
        (UnsupportedVersion("too old"), Cause.VERSION_INCOMPATIBLE),
        (RemoteProtocolError("odd bytes", received=b"SSH-2.0"), Cause.NOT_A_TRANSPORT_PORT),
    ],
)
def test_what_the_codec_says(raised: RemoteProtocolError, cause: Cause) -> None:
    assert cause_of(caused(faults.general_failure("", AT, "words"), raised)) is cause


@pytest.mark.parametrize("problem", list(TlsProblem))
def test_every_problem_of_tls_has_a_cause(problem: TlsProblem) -> None:
    failure = TlsFailure(problem, "words")
    failure.__cause__ = ssl.SSLError(1, "[SSL] words")
    cause = cause_of(faults.tls_failed("", AT, failure))
    expected = {
        TlsProblem.REMOTE_IS_HTTP: Cause.HTTP_PORT,
    }
    assert cause == expected.get(problem, problem.value)


def test_a_problem_of_tls_that_is_not_known_here() -> None:
    newer = TlsHandshake("words", problem="brand_new", next_step="do something")
    assert cause_of(newer) is Cause.TLS_FAILURE


def test_a_resolver_that_does_not_answer() -> None:
    """Is not a firewall in front of the remote."""
    error = faults.connect_timeout("", AT, 5)
    assert cause_of(error, Step.RESOLVE) is Cause.RESOLVE_TIMEOUT
    assert cause_of(error, Step.TCP) is Cause.CONNECT_TIMEOUT


def test_whatever_fails_while_nodes_are_asked_for() -> None:
    assert cause_of(ReceiveTimeout("x"), Step.NODES) is Cause.NODES_REQUEST_FAILED
    assert cause_of(NodeDisconnected("x"), Step.NODES) is Cause.NODES_REQUEST_FAILED
    assert cause_of(ReceiveTimeout("gave up after [5s]"), Step.NODES) is Cause.OUT_OF_TIME
    assert cause_of(ReceiveTimeout("x")) is Cause.OTHER


def test_a_round_in_which_the_seed_answered() -> None:
    """Its nodes' failures are about their publish addresses; without any, none was eligible."""
    text = "Unable to open any connections to remote cluster [far]"
    assert cause_of(IllegalState(text)) is Cause.NO_ELIGIBLE_NODE
    refused = faults.connect_failed("n", "", AT, OSError(errno.ECONNREFUSED, "x"))
    assert cause_of(IllegalState(text, suppressed=[refused])) is Cause.PUBLISH_ADDRESS_UNREACHABLE
    other = ConnectTransport("[n][x] unexpected remote node: expected [b]")
    assert cause_of(IllegalState(text, suppressed=[other])) is Cause.UNEXPECTED_NODE


def test_links_end_also_in_a_circle() -> None:
    first, second = IllegalState("a"), IllegalState("b")
    first.caused_by, second.caused_by = second, first
    assert len(list(links(first))) <= 32
