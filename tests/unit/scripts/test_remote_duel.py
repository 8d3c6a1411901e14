"""The duel of remote clusters touches only aliases of its own, and compares what can be compared."""

import json
import re

from scripts.peers import known, remote_info
from scripts.peers.remote_bodies import changes
from scripts.peers.remote_change import ALIAS, OTHER, change, persistent, transient
from scripts.peers.remote_situations import situations

PROBLEM_A = {"type": "illegal_argument_exception", "reason": "a"}
PROBLEM_B = {"type": "illegal_argument_exception", "reason": "b"}


def test_every_question_has_a_name_of_its_own():
    names = [request.name for request in remote_info.requests()]
    assert len(names) == len(set(names)) > 400


def test_only_aliases_of_the_duel_are_set():
    """A node that somebody else uses keeps its remotes: what names another alias is refused or null."""
    bodies = [body for each in changes() for body in (*each.before, each.body)]
    bodies += [step for each in situations() for step in each.steps]
    for body in bodies:
        for alias in re.findall(
            r'"cluster\.remote\.([A-Za-z0-9_-]+)\.(?:seeds|mode|proxy_address)"', body
        ):
            assert alias.startswith("duel_"), body


def test_a_wildcard_reaches_aliases_of_the_duel_only():
    for each in changes():
        for key in re.findall(r'"(cluster\.remote\.[^"]*\*[^"]*)":', each.body):
            assert key.startswith("cluster.remote.duel_") or key == "cluster.remote.*.credentials"


def test_bodies_are_written_briefly():
    assert persistent(transport__compress=True) == {
        "persistent": {f"cluster.remote.{ALIAS}.transport.compress": True}
    }
    assert transient(ALIAS, OTHER, mode="proxy") == {
        "transient": {f"cluster.remote.{a}.mode": "proxy" for a in (ALIAS, OTHER)}
    }
    assert json.loads(change("n", {"a": 1}).body) == {"a": 1}
    assert change("n", "{").body == "{"


def test_several_problems_are_compared_without_their_order():
    def body(main, other):
        return {"error": {"root_cause": [main], **main, "suppressed": [other]}, "status": 400}

    one = remote_info._comparable(body(PROBLEM_A, PROBLEM_B), told_at_random=False)
    two = remote_info._comparable(body(PROBLEM_B, PROBLEM_A), told_at_random=False)
    assert one == two == {"problems": [PROBLEM_A, PROBLEM_B], "status": 400}


def test_a_single_problem_is_compared_whole():
    body = {"error": {"root_cause": [PROBLEM_A], **PROBLEM_A}, "status": 400}
    assert remote_info._comparable(body, told_at_random=False) is body
    shown = remote_info._comparable(body, told_at_random=True)
    assert shown == {"type": "illegal_argument_exception", "status": 400}


def test_known_differences_have_reasons_and_name_questions_that_are_asked():
    names = [request.name for request in remote_info.requests()]
    for entry in known.load(remote_info.KNOWN):
        assert any(known._matches(entry.request, name) for name in names), entry.request
