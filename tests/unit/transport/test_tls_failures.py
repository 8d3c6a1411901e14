"""What OpenSSL reports, as a person is told it."""

import ssl

import pytest

from sealane.transport.certificates import Certificate, time_text
from sealane.transport.tls_failures import Attempt, TlsFailure, TlsProblem, failure_of

DAY_MS = 86_400_000
NOW_MS = 1_800_000_000_000


def alert(reason: str) -> ssl.SSLError:
    error = ssl.SSLError(1, f"[SSL: {reason}] said")
    error.reason = reason
    return error


def refused(code: int, message: str = "said so") -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.reason = "CERTIFICATE_VERIFY_FAILED"
    error.verify_code, error.verify_message = code, message
    return error


def certificate(name: str, *, start_ms: int, end_ms: int) -> Certificate:
    return Certificate(
        subject=f"CN={name}",
        issuer="CN=ca",
        names=(name,),
        not_before_ms=start_ms,
        not_after_ms=end_ms,
    )


VALID = certificate("a", start_ms=NOW_MS - DAY_MS, end_ms=NOW_MS + DAY_MS)


@pytest.mark.parametrize(
    ("reason", "problem"),
    [
        ("TLSV13_ALERT_CERTIFICATE_REQUIRED", TlsProblem.CERTIFICATE_MISSING),
        ("PEER_DID_NOT_RETURN_A_CERTIFICATE", TlsProblem.CERTIFICATE_MISSING),
        ("TLSV1_ALERT_UNKNOWN_CA", TlsProblem.CERTIFICATE_REFUSED),
        ("SSLV3_ALERT_CERTIFICATE_EXPIRED", TlsProblem.CERTIFICATE_REFUSED),
        ("SSLV3_ALERT_BAD_CERTIFICATE", TlsProblem.CERTIFICATE_REFUSED),
        ("TLSV1_ALERT_PROTOCOL_VERSION", TlsProblem.NO_COMMON_PROTOCOL),
        ("UNSUPPORTED_PROTOCOL", TlsProblem.NO_COMMON_PROTOCOL),
        ("NO_SHARED_CIPHER", TlsProblem.NO_COMMON_CIPHER),
        ("SSLV3_ALERT_HANDSHAKE_FAILURE", TlsProblem.NO_COMMON_CIPHER),
        ("SOMETHING_NEW", TlsProblem.OTHER),
    ],
)
def test_reasons_have_a_stable_name(reason: str, problem: TlsProblem) -> None:
    failure = failure_of(alert(reason), Attempt(server_side=False))
    assert failure.problem is problem
    assert str(failure).startswith("TLS handshake failed: ")


def test_a_server_name_that_is_refused_is_named() -> None:
    attempt = Attempt(server_side=False, server_name="west.example")
    failure = failure_of(alert("TLSV1_UNRECOGNIZED_NAME"), attempt)
    assert failure.problem is TlsProblem.NAME_REFUSED
    assert str(failure).endswith("the peer serves no such server name [west.example]")


@pytest.mark.parametrize("code", [18, 19, 20, 21])
def test_an_authority_that_is_not_trusted(code: int) -> None:
    failure = failure_of(refused(code), Attempt(server_side=False, chain=[VALID]))
    assert failure.problem is TlsProblem.UNKNOWN_AUTHORITY
    assert str(failure) == (
        "certificate verification failed: its authority is not trusted here (said so): "
        "[CN=a], issued by [CN=ca]"
    )


def test_the_one_that_has_expired_is_named_be_it_the_authority() -> None:
    old = certificate("ca", start_ms=NOW_MS - 9 * DAY_MS, end_ms=NOW_MS - DAY_MS)
    attempt = Attempt(server_side=False, chain=[VALID, old], now_ms=NOW_MS)
    failure = failure_of(refused(10), attempt)
    assert failure.problem is TlsProblem.EXPIRED
    assert str(failure) == (
        "certificate verification failed: [CN=ca] has expired: it is valid from "
        f"[{time_text(NOW_MS - 9 * DAY_MS)}] to [{time_text(NOW_MS - DAY_MS)}], "
        f"the clock here says [{time_text(NOW_MS)}]"
    )


def test_dates_that_the_chain_does_not_explain() -> None:
    failure = failure_of(refused(9), Attempt(server_side=False, now_ms=NOW_MS))
    assert failure.problem is TlsProblem.NOT_YET_VALID
    assert str(failure).endswith(f"it is not yet valid, by the clock here [{time_text(NOW_MS)}]")


def test_another_fault_of_the_certificate() -> None:
    failure = failure_of(refused(26, "unsuitable certificate purpose"), Attempt(server_side=True))
    assert failure.problem is TlsProblem.BAD_CERTIFICATE
    assert str(failure) == (
        "client certificate verification failed: unsuitable certificate purpose"
    )


def test_every_problem_has_a_next_step_that_names_the_settings_in_use() -> None:
    for problem in TlsProblem:
        failure = TlsFailure(problem, "text", group="some.group.ssl")
        assert failure.next_step
        assert "{" not in failure.next_step
    assert "[some.group.ssl.certificate_authorities]" in (
        TlsFailure(TlsProblem.UNKNOWN_AUTHORITY, "text", group="some.group.ssl").next_step
    )


def test_times_are_shown_in_utc() -> None:
    assert time_text(1_700_000_000_999) == "2023-11-14T22:13:20Z"
