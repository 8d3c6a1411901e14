"""Index expressions, against the answers of 8.19.0 to the same indices."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealane.cluster.date_names import resolve_date_name
from sealane.cluster.metadata import Alias, ClusterMetadata, IndexMetadata
from sealane.cluster.names import check_alias_name, check_index_name
from sealane.cluster.resolve import DEFAULT_OPTIONS, resolve
from sealane.cluster.targets import resolve_read_target, resolve_write_target
from sealane.engine.mapping import Mapping
from sealane.errors import ApiError
from sealane.model.search import IndicesOptions
from sealane.settings import Settings
from tests.unit.cluster.fakes import NOW_MS

FILTER = b'{"term":{"f":"x"}}'


def index(
    name: str, shards: int, *, hidden: bool = False, open: bool = True, **aliases: Alias
) -> IndexMetadata:
    settings = Settings({"index.hidden": "true"} if hidden else {})
    return IndexMetadata(
        name=name,
        uuid=f"u_{name}",
        shards=shards,
        creation_date=0,
        settings=settings,
        mapping_json=b"{}",
        mapping=Mapping(),
        aliases={key.replace("dot_", "."): value for key, value in aliases.items()},
        open=open,
    )


META = ClusterMetadata(
    [
        index(
            "st_a",
            1,
            st_al=Alias(),
            st_al2=Alias(filter=FILTER.decode(), index_routing="r", search_routing="s"),
            sth_al3=Alias(is_hidden=True),
            dot_sth_al4=Alias(is_hidden=True),
        ),
        index("st_b", 2, hidden=True, st_al=Alias(), stv_hid=Alias()),
        index(".st_e", 8, hidden=True),
        index("st_c", 4, open=False, stc_al=Alias(), st_al=Alias()),
    ]
)
NOT_FOUND = "index_not_found_exception: no such index [{}]"
HINT = (
    " and if you intended to exclude this index, ensure that you use wildcards that include it "
    "before explicitly excluding it"
)


def outcome(expressions: str, options: IndicesOptions = DEFAULT_OPTIONS) -> int | str:
    """The number of shards reached, as a search's `_shards.total` shows it, or the error."""
    try:
        found = resolve(META, expressions.split(",") if expressions else [], options, NOW_MS)
    except ApiError as error:
        return f"{error.es_type}: {error.reason}"
    return sum(each.shards for each in found)


@pytest.mark.parametrize(
    ("expressions", "expected"),
    [
        ("st_a", 1),
        ("st_b", 2),
        ("st_*", 3),
        (".st*", 9),
        ("*st_e", 0),
        ("sth*", 0),
        (".sth*", 1),
        ("stv*", 2),
        ("stv*,-st_b", 0),
        ("stv*,-stv_hid", 2),
        ("st_al*,-st_a", 2),
        ("stc_*", 0),
        ("st_a,st_a,st_al2", 1),
        ("*,-*,st_a", 1),
        ("st_*,-*,st_a", 1),
        ("st_nope*,st_a", 1),
        ("st_a,-st_*", 1),
        ("st_*,-st_nope", 3),
        ("st_*,-<st_a>", 2),
        ("<st_a>", 1),
        ("-*", 0),
        ("**", 3),
        ("_all", 3),
        ("", 3),
        ("st_A*", 0),
        ("<st_a*{now/d}>", 0),
        ("st_c", "index_closed_exception: closed"),
        ("st_al", "index_closed_exception: closed"),
        ("stc_al", "index_closed_exception: closed"),
        ("st_nope", NOT_FOUND.format("st_nope")),
        ("st_a,st_nope", NOT_FOUND.format("st_nope")),
        ("st_a,", NOT_FOUND.format("")),
        ("+st_a", NOT_FOUND.format("+st_a")),
        ("-st_a", NOT_FOUND.format("-st_a") + HINT),
        ("st_a,-st_a", NOT_FOUND.format("-st_a") + HINT),
        ("st_al,-st_a", NOT_FOUND.format("-st_a") + HINT),
        ("-<st_a>", NOT_FOUND.format("-<st_a>") + HINT),
        ("<-st_{now}>", NOT_FOUND.format("-st_2026.11.22") + HINT),
        ("_x", "invalid_index_name_exception: Invalid index name [_x], must not start with '_'."),
        (
            "st_a,_all",
            "invalid_index_name_exception: Invalid index name [_all], must not start with '_'.",
        ),
    ],
)
def test_a_search_reaches_what_the_reference_reaches(expressions: str, expected: int | str) -> None:
    assert outcome(expressions) == expected


@pytest.mark.parametrize(
    ("expressions", "options", "expected"),
    [
        ("st_c,st_a", IndicesOptions(ignore_unavailable=True), 1),
        ("st_a,st_nope", IndicesOptions(ignore_unavailable=True), 1),
        ("st_al", IndicesOptions(ignore_unavailable=True), 3),
        (
            "_x,st_a",
            IndicesOptions(ignore_unavailable=True),
            "invalid_index_name_exception: Invalid index name [_x], must not start with '_'.",
        ),
        ("st_nope*", IndicesOptions(allow_no_indices=False), NOT_FOUND.format("st_nope*")),
        ("st_nope*,st_a", IndicesOptions(allow_no_indices=False), NOT_FOUND.format("st_nope*")),
        ("*,-*", IndicesOptions(allow_no_indices=False), NOT_FOUND.format("null")),
        ("st_*", IndicesOptions(expand_open=False), NOT_FOUND.format("st_*")),
        ("st_*", IndicesOptions(expand_open=False, expand_hidden=True), NOT_FOUND.format("st_*")),
        ("_all", IndicesOptions(expand_open=False), 0),
        (
            "_all",
            IndicesOptions(expand_open=False, allow_no_indices=False),
            NOT_FOUND.format("_all"),
        ),
        (
            "st_*",
            IndicesOptions(expand_open=False, expand_closed=True),
            "index_closed_exception: closed",
        ),
        ("st_*", IndicesOptions(expand_hidden=True), 3),
        (
            "st_*",
            IndicesOptions(expand_closed=True, expand_hidden=True, ignore_unavailable=True),
            3,
        ),
        ("_all", IndicesOptions(expand_hidden=True), 11),
    ],
)
def test_options_say_what_expressions_expand_to(
    expressions: str, options: IndicesOptions, expected: int | str
) -> None:
    assert outcome(expressions, options) == expected


def test_nothing_left_names_all_expressions() -> None:
    with pytest.raises(ApiError) as raised:
        resolve(META, ["*", "-*"], IndicesOptions(allow_no_indices=False))
    assert raised.value.metadata == {
        "resource.type": "index_expression",
        "resource.id": ["*", "-*"],
    }


@pytest.mark.parametrize(
    ("expressions", "filters"),
    [
        (["st_a"], None),
        (["st_al2"], (FILTER,)),
        (["st_al2", "sth_al3"], None),
        (["st_al2", "st_a"], None),
        (["st_al2*"], (FILTER,)),
        (["st_*"], None),
        (["st_*", "-st_al2"], None),
    ],
)
def test_an_alias_filter_counts_unless_the_index_is_reached_without_one(
    expressions: list[str], filters: tuple[bytes, ...] | None
) -> None:
    (found,) = [each for each in resolve(META, expressions) if each.name == "st_a"]
    assert found.filters == filters


def test_several_filters_are_alternatives_and_each_counts_once() -> None:
    other = b'{"term":{"f":"y"}}'
    meta = ClusterMetadata(
        [
            index(
                "i",
                1,
                a=Alias(filter=FILTER.decode()),
                b=Alias(filter=other.decode()),
                c=Alias(filter=FILTER.decode()),
            )
        ]
    )
    (found,) = resolve(meta, ["a", "b", "c"])
    assert found.filters == (FILTER, other)
    assert found.via == ("a", "b", "c")


def test_aliases_are_no_indices_where_they_may_not_be() -> None:
    with pytest.raises(ApiError) as raised:
        resolve(META, ["st_al2"], ignore_aliases=True)
    assert raised.value.reason == (
        "The provided expression [st_al2] matches an alias, specify the corresponding concrete "
        "indices instead."
    )
    assert resolve(META, ["st_al2*"], ignore_aliases=True) == []
    assert [each.name for each in resolve(META, ["st_c"], forbid_closed=False)] == ["st_c"]


def test_a_write_goes_to_the_write_index() -> None:
    target = resolve_write_target(META, "st_al2", NOW_MS)
    assert target is not None
    assert (target.name, target.routing, target.replicas) == ("st_a", "r", 1)
    assert resolve_write_target(META, "st_none", NOW_MS) is None
    with pytest.raises(ApiError) as raised:
        resolve_write_target(META, "st_al", NOW_MS)
    assert raised.value.reason.startswith("no write index is defined for alias [st_al]. The write")
    with pytest.raises(ApiError, match="closed"):
        resolve_write_target(META, "stc_al", NOW_MS)
    with pytest.raises(ApiError) as raised:
        resolve_write_target(META, "_stn", NOW_MS)
    assert raised.value.reason == (
        "Invalid index name [_stn], must not start with '_', '-', or '+'"
    )
    marked = ClusterMetadata(
        [index("w1", 1, w=Alias()), index("w2", 1, w=Alias(is_write_index=True))]
    )
    found = resolve_write_target(marked, "w", NOW_MS)
    assert found is not None
    assert found.name == "w2"
    refused = ClusterMetadata([index("w1", 1, w=Alias(is_write_index=False))])
    with pytest.raises(ApiError, match="no write index"):
        resolve_write_target(refused, "w", NOW_MS)


def test_a_document_is_read_from_one_index() -> None:
    assert resolve_read_target(META, "st_al2", NOW_MS).routing == "s"
    for name, reason in (
        ("st_nope", "no such index [st_nope]"),
        ("st_*", "no such index [st_*]"),
        (
            "st_al",
            "alias [st_al] has more than one index associated with it [st_a, st_b, st_c], "
            "can't execute a single index op",
        ),
    ):
        with pytest.raises(ApiError) as raised:
            resolve_read_target(META, name, NOW_MS)
        assert raised.value.reason == reason


@pytest.mark.parametrize(
    ("expression", "name"),
    [
        ("plain", "plain"),
        ("<st>", "st"),
        ("<st_{now/d}>", "st_2026.11.22"),
        ("<st_{now/d{yyyy.MM}}>", "st_2026.11"),
        ("<st_{now-1M/M{yyyy}}-{now{yy}}>", "st_2026-26"),
        ("<{now/d}-{now/M{yyyy}}>", "2026.11.22-2026"),
        ("<st_{now}x{now{yy}}y>", "st_2026.11.22x26y"),
        ("<st_{now/d{yyyy.MM.dd|+12:00}}>", "st_2026.11.22"),
        ("<st_{now{yyyy|Europe/Berlin}}>", "st_2026"),
        (r"<st_\{x\}>", "st_{x}"),
        (r"<st_\{now>", "st_{now"),
        ("<st_{now/d", "<st_{now/d"),
    ],
)
def test_dates_in_names(expression: str, name: str) -> None:
    assert resolve_date_name(expression, NOW_MS) == name


OPEN_ENDED = "invalid dynamic name expression [{}]. date math placeholder is open ended"


@pytest.mark.parametrize(
    ("expression", "status", "reason"),
    [
        ("<st_{now/d{yyyy>", 400, OPEN_ENDED.format("st_{now/d{yyyy>")),
        ("<st_{now/d>", 400, OPEN_ENDED.format("st_{now/d>")),
        ("<>", 400, "nothing captured"),
        ("<st_{}>", 400, "cannot parse empty datetime"),
        ("<st_{now{}}>", 400, "invalid dynamic name expression [now{}]. missing date format"),
        (
            "<st_{now{yyyy}x}>",
            400,
            "invalid dynamic name expression [now{yyyy}x]. "
            "missing closing `}` for date math format",
        ),
        (
            "<st_{now{{yyyy}}>",
            400,
            "invalid dynamic name expression [st_{now{{yyyy}}>]. "
            "invalid character in placeholder at position [9]",
        ),
        (
            "<st_{now}}>",
            400,
            "invalid dynamic name expression [st_{now}}>]. invalid character at position [9]. `{` "
            "and `}` are reserved characters and should be escaped when used as part of the index "
            "name using `\\` (e.g. `\\{text\\}`)",
        ),
        ("<st_{now{yyyy|foo}}>", 500, "Unknown time-zone ID: foo"),
        ("<st_{{now}}>", 400, "Invalid format: [now]: Unknown pattern letter: o"),
    ],
)
def test_a_bad_date_in_a_name(expression: str, status: int, reason: str) -> None:
    with pytest.raises(ApiError) as raised:
        resolve_date_name(expression, NOW_MS)
    assert (raised.value.status, raised.value.reason) == (status, reason)


FORBIDDEN = "must not contain the following characters [' ','\"','*',',','/','<','>','?','\\','|']"


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("_x", "must not start with '_', '-', or '+'"),
        ("-x", "must not start with '_', '-', or '+'"),
        ("+x", "must not start with '_', '-', or '+'"),
        ("Ab", "must be lowercase"),
        ("a#b", "must not contain '#'"),
        ("a:b", "must not contain ':'"),
        ("a,b", FORBIDDEN),
        ("a b", FORBIDDEN),
        ("a\\b", FORBIDDEN),
        ("a*", FORBIDDEN),
        ("..", "must not be '.' or '..'"),
        ("x" * 256, "index name is too long, (256 > 255)"),
        ("é" * 128, "index name is too long, (256 > 255)"),
    ],
)
def test_index_names(name: str, problem: str) -> None:
    with pytest.raises(ApiError) as raised:
        check_index_name(name)
    assert raised.value.reason == f"Invalid index name [{name}], {problem}"


def test_names_that_are_fine() -> None:
    for name in ("é", ".dot", "a-b_c+d.e", "x" * 255):
        check_index_name(name)
        check_alias_name(name)
    check_alias_name("Upper")
    with pytest.raises(ApiError) as raised:
        check_alias_name("_bad")
    assert raised.value.reason == (
        "Invalid alias name [_bad]: must not start with '_', '-', or '+'"
    )


names = st.sampled_from(
    ["st_a", "st_b", "st_c", "st_al", "st_al2", "stv_hid", "st_*", "*", "-st_a", "-st_*", ".s*"]
)


@given(
    st.lists(names, min_size=1, max_size=5),
    st.builds(
        IndicesOptions,
        ignore_unavailable=st.booleans(),
        allow_no_indices=st.booleans(),
        expand_open=st.booleans(),
        expand_closed=st.booleans(),
        expand_hidden=st.booleans(),
    ),
)
def test_whatever_is_asked_each_index_comes_once_or_there_is_an_api_error(
    expressions: list[str], options: IndicesOptions
) -> None:
    try:
        found = resolve(META, expressions, options, NOW_MS)
    except ApiError:
        return
    uuids = [each.uuid for each in found]
    assert len(set(uuids)) == len(uuids)
    assert all(each.metadata.open for each in found)
    assert found or options.allow_no_indices


@pytest.mark.parametrize(
    ("expressions", "remote"),
    [
        ("rb:x", "rb:x"),
        ("rb:x,rb:y,z", "rb:x, rb:y"),
        ("x:", "x:"),
        ("*:x", "*:x"),
        ("-rb:x", "-rb:x"),
        ("x*,-rb:x", "-rb:x"),
        ("rb:x:y", "rb:x:y"),
        ("<x:y>", ""),
    ],
)
def test_a_name_of_another_cluster_is_refused_where_only_this_one_is_meant(
    expressions: str, remote: str
) -> None:
    """S-26: the error lists every expression that names a cluster."""
    assert outcome(expressions) == (
        "illegal_argument_exception: Cross-cluster calls are not supported in this context but "
        f"remote indices were requested: [{remote}]"
    )


def test_a_name_of_another_cluster_is_refused_though_names_may_be_missing() -> None:
    """S-26: it is not dropped without a word, as in the reference; a colon in front names no cluster."""
    refused = str(outcome("z,rb:x", IndicesOptions(ignore_unavailable=True)))
    assert refused.endswith("remote indices were requested: [rb:x]")
    assert outcome("z,rb:x") == NOT_FOUND.format("z")
    assert outcome(":x") == NOT_FOUND.format(":x")
