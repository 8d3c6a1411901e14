"""The duel compares whole answers, strictly, and takes out only what two correct nodes may
differ in."""

import pytest
from scripts.peers import known
from scripts.peers.compare import ABSENT, HTTP_STATUS, WHOLE_BODY, Difference, differences
from scripts.peers.duel import judge
from scripts.peers.normalise import Names, normalised
from scripts.peers.request import Request
from scripts.peers.requests_all import every_request
from scripts.rest import Answer

NAMES = Names(
    exact=(("europe", "<local cluster>"), ("americas", "<remote cluster>")),
    anywhere=(("europe-0", "<local node>"), ("127.0.0.1:9300", "<local transport>")),
)
UUID = "Y0qRIbCvTaaZIOPTF0X_NQ"


def between(expected: object, actual: object) -> list[Difference]:
    return differences(Answer(200, expected), Answer(200, actual))


def test_equal_answers_have_no_difference():
    assert between({"a": [1, {"b": None}]}, {"a": [1, {"b": None}]}) == []


def test_the_order_of_keys_does_not_matter_and_that_of_lists_does():
    assert between({"a": 1, "b": 2}, {"b": 2, "a": 1}) == []
    assert between([1, 2], [2, 1]) == [Difference("[0]", 1, 2), Difference("[1]", 2, 1)]


def test_the_status_is_part_of_the_answer():
    found = differences(Answer(404, "x"), Answer(200, "x"))
    assert found == [Difference(HTTP_STATUS, 404, 200)]


@pytest.mark.parametrize(("expected", "actual"), [(1, 1.0), (1, "1"), (1, True), (0, None)])
def test_types_count(expected, actual):
    assert between({"v": expected}, {"v": actual}) == [Difference("v", expected, actual)]


def test_missing_and_extra_members_are_found_with_their_paths():
    assert between({"a": {"b": 1}}, {"a": {"c": 2}}) == [
        Difference("a.b", 1, ABSENT),
        Difference("a.c", ABSENT, 2),
    ]


def test_a_longer_list_shows_what_is_too_much():
    assert between([1], [1, 2]) == [Difference("[1]", ABSENT, 2)]


def test_text_in_place_of_json_is_one_difference():
    assert between({"a": 1}, "oops") == [Difference(WHOLE_BODY, {"a": 1}, "oops")]


def test_scores_agree_to_five_digits_and_other_numbers_exactly():
    assert between({"_score": 1.234561}, {"_score": 1.234563}) == []
    assert between({"max_score": 4.0}, {"max_score": 4.001}) != []
    assert between({"value": 1.234561}, {"value": 1.234563}) != []


def test_a_score_that_is_a_sort_value_has_the_same_tolerance():
    ours = {"_score": 2.500001, "sort": [2.500001, 7]}
    theirs = {"_score": 2.500002, "sort": [2.500002, 7]}
    assert between(theirs, ours) == []
    assert between(theirs, {**ours, "sort": [2.500001, 8]}) == [Difference("sort[1]", 7, 8)]


def test_times_and_uuids_are_taken_out_but_their_presence_is_not():
    assert normalised({"took": 5, "index_uuid": UUID}, NAMES) == {
        "took": "<took>",
        "index_uuid": "<index_uuid>",
    }
    assert normalised({"took": "5", "index_uuid": "_na_"}, NAMES) == {
        "took": "5",
        "index_uuid": "_na_",
    }


def test_names_and_addresses_of_nodes_are_replaced_in_texts_and_keys():
    said = {f"nodes/{UUID}]": "[europe-0][127.0.0.1:9300][x] of [americas]", "cluster": "europe"}
    assert normalised(said, NAMES) == {
        "nodes/<uuid>]": "[<local node>][<local transport>][x] of [<remote cluster>]",
        "cluster": "<local cluster>",
    }


def test_a_name_within_a_word_stays():
    assert normalised("europe-01 and europeans", NAMES) == "europe-01 and europeans"


def test_automatic_ids_are_replaced_and_given_ones_stay():
    assert normalised({"_id": "AVj0xuYBVZJtmgHaB3c9"}, NAMES) == {"_id": "<automatic id>"}
    assert normalised({"_id": "42"}, NAMES) == {"_id": "42"}


def test_the_source_of_a_document_is_never_touched():
    hit = {"_source": {"took": 5, "where": "europe"}}
    assert normalised(hit, NAMES) == hit


def test_a_known_difference_covers_its_request_and_path_only():
    entry = known.KnownDifference("sort/*", "hits.hits[*]._score", "because")
    assert entry.covers("sort/number/local", Difference("hits.hits[3]._score", 1, 2))
    assert not entry.covers("query/match", Difference("hits.hits[3]._score", 1, 2))
    assert not entry.covers("sort/number/local", Difference("hits.total", 1, 2))


def test_a_request_is_known_only_when_all_its_differences_are():
    requests = [Request("a", "GET", "/"), Request("b", "GET", "/"), Request("c", "GET", "/")]
    expected = {name: Answer(200, {"x": 1, "y": 1}) for name in "abc"}
    actual = {
        "a": Answer(200, {"x": 2, "y": 1}),
        "b": Answer(200, {"x": 2, "y": 2}),
        "c": expected["c"],
    }
    accepted = [known.KnownDifference("*", "x", "because")]
    verdicts = judge(requests, expected, actual, accepted, bystander=actual)
    assert [verdict.outcome for verdict in verdicts] == ["known", "different", "same"]
    assert [verdict.like_bystander for verdict in verdicts] == [True, True, True]


def test_the_file_of_known_differences_can_be_read():
    assert all(entry.reason for entry in known.load())


@pytest.mark.parametrize(
    "entry",
    [
        '[[difference]]\nrequest = "a"\npath = "b"\n',
        '[[difference]]\nrequest = "a"\npath = "b"\nreason = " "\n',
        '[[difference]]\nrequest = "a"\npath = "b"\nreason = "c"\nsince = "d"\n',
    ],
)
def test_a_known_difference_needs_a_reason_and_nothing_else(tmp_path, entry):
    file = tmp_path / "known.toml"
    file.write_text(entry)
    with pytest.raises(known.KnownDifferencesError):
        known.load(file)


_CONTEXTS = ("pit", "search/scroll")
"""What a search keeps open is told by an id that the duel was given."""


def test_every_request_has_a_name_of_its_own_and_stays_with_our_indices():
    requests = every_request()
    assert len(requests) > 1000
    changing = [request for request in requests if request.method in ("PUT", "DELETE")]
    strays = {
        request.path
        for request in changing
        if not request.path.lower()
        .lstrip("/_")
        .startswith(("duel", "cluster/settings", "resolve/cluster", *_CONTEXTS, "d" * 256))
    }
    assert strays == set()
