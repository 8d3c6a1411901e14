"""The duel of verdicts reads its calls, knows everybody in them, and compares what can be compared."""

import json

import pytest
from cryptography import x509
from scripts.peers import known
from scripts.peers.normalise import Names
from scripts.peers.security import certificates, people
from scripts.peers.security.__main__ import KNOWN, verdicts_of
from scripts.peers.security.calls import FOLDER, ORDER, CallsError, every_call, filled, sampled
from scripts.peers.security.client import SUPERUSER, Told
from scripts.peers.security.links import ACCESS
from scripts.peers.security.pair import LOCAL, REMOTE, Member, settings
from scripts.peers.security.view import shown
from scripts.rest import Answer

from sealane.node.config import registry

NO_NAMES = Names((), ())
KEYS_OF_LINKS = {*ACCESS, "plain"}


def test_every_call_has_a_name_of_its_own():
    calls = every_call()
    assert len({call.name for call in calls}) == len(calls)
    assert sum(call.is_judged for call in calls) > 150


def test_every_file_of_calls_is_asked():
    assert {file.stem for file in FOLDER.glob("*.calls")} == set(ORDER)


def test_what_a_call_refers_to_was_kept_before():
    kept = set(KEYS_OF_LINKS)
    for call in every_call():
        assert call.needs() <= kept, call.name
        kept |= {call.keep} if call.keep else set()


def test_everybody_who_asks_is_known():
    """Or is meant to be unknown: a ghost, a wrong password, a name in other letters."""
    made = {call.path.rpartition("/")[2] for call in every_call() if call.method in ("PUT", "POST")}
    strangers = {"nobody", "ghost", SUPERUSER, *made}
    for call in every_call():
        if not call.who.startswith(("key:", "raw:")):
            assert call.who.partition(":")[0] in people.USERS or (
                call.who.partition(":")[0].lower() in strangers
            ), call.name


def test_a_line_is_read(tmp_path):
    (tmp_path / "some.calls").write_text(
        '# about\n\n!a>b@remote +X-One:1%202 PUT /x?y=<<1|2>> {"z": 1}⏎{} => kept\nnobody GET /\n'
    )
    first, second, third = every_call(tmp_path, ["some"])
    assert (first.who, first.runs_as, first.is_remote, first.is_judged) == ("a", "b", True, False)
    assert (first.method, first.path, second.path) == ("PUT", "/x?y=1", "/x?y=2")
    assert (first.body, first.keep, first.headers) == ('{"z": 1}\n{}', "kept", {"X-One": "1 2"})
    assert (third.who, third.body, third.is_judged) == ("nobody", None, True)


def test_a_line_that_is_no_call_is_refused(tmp_path):
    (tmp_path / "some.calls").write_text("nobody get /\n")
    with pytest.raises(CallsError, match=r"some\.calls:1 is no call"):
        every_call(tmp_path, ["some"])


def test_a_sample_keeps_what_it_builds_on():
    calls = every_call()
    some = sampled(calls, 40)
    assert {call.name for call in calls if call.keep or not call.is_judged} <= {
        call.name for call in some
    }
    assert sum(call.is_judged and call.keep is None for call in some) == 40


def test_kept_answers_are_filled_in():
    assert filled("${a.id}/${a.n}/${b.id}", {"a": {"id": "x", "n": [1]}}) == "x/[1]/missing"


def test_of_an_error_its_words_are_compared():
    problem = {"type": "t", "reason": "r", "line": 1, "caused_by": {"type": "u", "reason": "s"}}
    told = Told(400, {"error": {"root_cause": [problem], **problem}, "status": 400}, ())
    assert shown(told, NO_NAMES, {}).body == {
        "error": {"type": "t", "reason": "r"},
        "status": 400,
    }


def test_what_a_cluster_that_is_not_known_is_told_has_two_forms_and_is_one_verdict():
    cause = "api key [k] has been invalidated"
    long = "unable to authenticate user [k] for action [indices:data/read/search]"
    beside = {"additional_unsuccessful_credentials": f"API key: {cause}"}
    forms = [{"type": "t", "reason": cause}, {"type": "t", "reason": long, **beside}]
    one, two = (shown(Told(401, {"error": form}, ()), NO_NAMES, {}) for form in forms)
    assert one == two


def test_a_challenge_is_compared_where_one_is_due():
    assert shown(Told(401, {}, ("Basic", "ApiKey")), NO_NAMES, {}).body == {
        "challenge": ["Basic", "ApiKey"]
    }
    assert shown(Told(403, {}, ()), NO_NAMES, {}).body == {}


def test_ids_times_and_secrets_are_not_compared_but_their_length_is():
    body = {"id": "a" * 20, "api_key": "b" * 22, "encoded": "short", "creation": 1, "took": 3}
    assert shown(Told(200, body, ()), NO_NAMES, {"a" * 20: "<mine>"}).body == {
        "id": "<id>",
        "api_key": "<api_key of 22>",
        "encoded": "short",
        "creation": "<creation>",
    }


def test_indices_are_compared_without_their_order():
    told = Told(403, {"reason": "for user [u] on indices [b,a], this"}, ())
    assert shown(told, NO_NAMES, {}).body == {"reason": "for user [u] on indices [a,b], this"}


def test_verdicts_leave_out_steps():
    judged = next(call for call in every_call() if call.is_judged)
    step = next(call for call in every_call() if not call.is_judged)
    same = {judged.name: Answer(200, 1), step.name: Answer(200, 1)}
    other = {judged.name: Answer(200, 2), step.name: Answer(500, 2)}
    (verdict,) = verdicts_of([judged, step], same, other, [])
    assert verdict.outcome == "different"


def test_known_differences_have_reasons():
    known.load(KNOWN)


def test_certificates_are_signed_by_their_authority(tmp_path):
    certificates.make(tmp_path, [LOCAL])
    for use in (certificates.TRANSPORT, certificates.SERVER):
        authority = x509.load_pem_x509_certificate((tmp_path / f"{use}-ca.crt").read_bytes())
        own = x509.load_pem_x509_certificate((tmp_path / f"{LOCAL}-{use}.crt").read_bytes())
        own.verify_directly_issued_by(authority)


def test_both_products_are_given_settings_that_ours_knows(tmp_path):
    member = Member(url="http://127.0.0.1:1", transport_port=2, remote_cluster_port=3)
    known_keys = registry()
    for key in settings(REMOTE, tmp_path, member, "certs"):
        assert known_keys.get(key) is not None, key


def test_bodies_of_calls_are_what_is_sent():
    for call in every_call():
        if call.path.startswith("/_security") and (call.body or "").startswith('{"password"'):
            json.loads(call.body or "")
