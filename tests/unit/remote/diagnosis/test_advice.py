"""What an operator reads: one sentence with the address, one step to take."""

import re
from pathlib import Path

import pytest

from sealane.errors import ApiError, ConnectTransport, IllegalState, NoSeedNodeLeft
from sealane.model.node import Address
from sealane.remote.diagnosis.advice import Circumstances, Role, advice, printable, told
from sealane.remote.diagnosis.causes import Cause
from sealane.transport import Step, faults
from sealane.transport.tls_failures import TlsFailure, TlsProblem
from sealane.wire.errors import RemoteProtocolError

AT = Address("10.0.0.1", 9300)
SEED = Circumstances(address="10.0.0.1:9300", timeout_s=5)
PAGE = Path(__file__).parents[4] / "docs" / "connection-test.md"


@pytest.mark.parametrize("cause", list(Cause))
def test_every_cause_has_a_sentence_and_a_step(cause: Cause) -> None:
    found = told(cause, IllegalState("what happened"), SEED)
    assert found.cause is cause
    for text in (found.explanation, found.next_step):
        assert text
        assert not text.endswith(".")
        assert "\n" not in text


@pytest.mark.parametrize("cause", list(Cause))
def test_every_cause_is_in_the_documentation(cause: Cause) -> None:
    assert re.search(rf"^\|.*`{cause}`", PAGE.read_text(), re.MULTILINE)


def test_a_publish_address_that_nobody_answers_at() -> None:
    """P16: the same error means another thing for a seed."""
    error = faults.connect_timeout("n", AT, 5)
    of_seed = advice(error, Step.TCP, SEED)
    of_node = advice(error, Step.TCP, Circumstances(address="10.0.0.1:9300", role=Role.NODE))
    assert of_seed.cause is Cause.CONNECT_TIMEOUT
    assert of_seed.explanation == "[10.0.0.1:9300] did not answer within [5s]"
    assert of_node.cause is Cause.PUBLISH_ADDRESS_UNREACHABLE
    assert "use proxy mode" in of_node.next_step


def test_both_versions_are_told() -> None:
    text = (
        "Received [handshake] message from unsupported version: [8.8.0] "
        "minimal compatible version is: [8841000]"
    )
    found = advice(faults.general_failure("", AT, text), Step.HANDSHAKE, SEED)
    refused_by_peer = (
        "[10.0.0.1:9300] speaks no version in common with this node: it was offered version "
        "[8.8.0] and accepts [8841000] and later"
    )
    assert found.explanation == refused_by_peer
    assert "Elasticsearch 8.19 to 9.x, OpenSearch 2.19 to 3.x" in found.next_step
    own = (
        f"{text}: remote speaks Elasticsearch 8.8.0, this node accepts Elasticsearch 8.19.0 to 9.x"
    )
    found = advice(faults.general_failure("", AT, own), Step.HANDSHAKE, SEED)
    assert found.explanation == (
        "[10.0.0.1:9300] speaks no version in common with this node: remote speaks Elasticsearch "
        "8.8.0, this node accepts Elasticsearch 8.19.0 to 9.x"
    )


def test_the_first_bytes_of_another_service() -> None:
    error = faults.general_failure("", AT, "invalid internal transport message format")
    error.__cause__ = RemoteProtocolError("x", received=b"SSH-2.0-OpenSSH_9.6\r\nmore")
    found = advice(error, Step.HANDSHAKE, SEED)
    assert "it says [SSH-2.0-OpenSSH_9.6]" in found.explanation


def test_tls_says_itself_what_to_do() -> None:
    """With the alias in the names of settings, where there is one."""
    failure = TlsFailure(TlsProblem.WRONG_NAME, "it is for [a], not for [b]")
    error = faults.tls_failed("", AT, failure)
    around = Circumstances(address="10.0.0.1:9300", alias="far")
    found = advice(error, Step.TLS, around)
    assert found.cause is Cause.WRONG_SERVER_NAME
    assert found.explanation == "TLS with [10.0.0.1:9300] failed, it is for [a], not for [b]"
    assert "cluster.remote.far.server_name" in found.next_step
    assert str(found) == f"{found.explanation}; {found.next_step}"
    # The same after its way over the wire.
    assert advice(ApiError.from_wire(error.to_wire()), None, around) == found


def test_what_differs_between_two_clusters() -> None:
    """Without the node's whole description, and without a second advice."""
    error = IllegalState(
        "handshake with [{n}{id}{eph}{10.0.0.1}{10.0.0.1:9300}] failed: remote cluster uuid [x] does "
        "not match expected remote cluster uuid [y]; to accept the new cluster, remove the remote"
    )
    assert advice(error, Step.NAME, SEED).explanation == (
        "[10.0.0.1:9300] belongs to another cluster: remote cluster uuid [x] does not match "
        "expected remote cluster uuid [y]"
    )


def test_an_unknown_failure_says_what_is_known() -> None:
    error = ConnectTransport("outer", caused_by=IllegalState("inner"))
    found = advice(error, None, SEED)
    assert (found.cause, found.explanation) == (
        Cause.OTHER,
        "connecting to [10.0.0.1:9300] failed: inner",
    )


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (b"220 mail\r\n", "220 mail"),
        (b"J\x00\x008.0", "J\\x00\\x008.0"),
        (b"x" * 100, "x" * 40),
        (b"", ""),
        (b"\n", ""),
    ],
)
def test_bytes_for_people(data: bytes, shown: str) -> None:
    assert printable(data) == shown


def test_why_no_socket_of_a_proxy_was_opened() -> None:
    """The error of the round only says that none was."""
    text = "Unable to open any proxy connections to cluster [eu] at address [10.0.0.1:9300]"
    http = faults.http_port("", AT)
    around = Circumstances(address="10.0.0.1:9300", role=Role.PROXY)
    found = advice(NoSeedNodeLeft(text, suppressed=[http]), None, around)
    assert found == advice(http, None, around)
    assert found.cause is Cause.HTTP_PORT
    assert advice(NoSeedNodeLeft(text), None, around).cause is Cause.OTHER


def test_a_wrong_cluster_name_may_be_in_the_settings() -> None:
    around = Circumstances(address="10.0.0.1:9300", alias="eu")
    text = "handshake with [n] failed: remote cluster {0} [a] does not match expected remote cluster {0} [b]"
    name, uuid = (
        advice(IllegalState(text.format(what)), None, around).next_step for what in ("name", "uuid")
    )
    assert "[cluster.remote.eu.cluster_name]" in name
    assert "cluster_name" not in uuid


BY_KEY = Circumstances(address="10.0.0.1:9300", alias="eu", by_key=True)


@pytest.mark.parametrize(
    "cause",
    [
        Cause.CONNECTION_REFUSED,
        Cause.REMOTE_IS_PLAIN,
        Cause.HTTP_PORT,
        Cause.NOT_A_TRANSPORT_PORT,
        Cause.CLIENT_CERTIFICATE_MISSING,
        Cause.UNKNOWN_AUTHORITY,
    ],
)
def test_who_comes_with_a_key_is_sent_to_the_port_for_keys(cause: Cause) -> None:
    """E11, E12, E15: the usual mistake is the number of the ordinary transport port."""
    error = ConnectTransport("[10.0.0.1:9300] failed")
    step = told(cause, error, BY_KEY).next_step
    assert "the port of the remote cluster server, usually 9443" in step
    assert "9443" not in told(cause, error, SEED).next_step


def test_a_key_under_another_name_is_told_first() -> None:
    """P6: before anybody looks for authorities."""
    around = Circumstances(address="10.0.0.1:9443", key_hint="the keystore holds [eats]")
    error = ConnectTransport("[10.0.0.1:9443] failed")
    step = told(Cause.UNKNOWN_AUTHORITY, error, around).next_step
    assert step.startswith("the keystore holds [eats]; if no key is meant, ")
