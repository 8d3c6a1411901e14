"""The standard analyzer against what Elasticsearch 8.19.0's `_analyze` answered."""

import pytest
import tantivy

from sealane.engine.embedded.analysis import prepare, register_tokenizers, tokens

ANSWERS = [
    ("Hello World", ["hello", "world"]),
    ("it's can't o'clock rock 'n' roll", ["it's", "can't", "o'clock", "rock", "n", "roll"]),
    ("3.14 1,000 1.2.3.4 2.b b.2", ["3.14", "1,000", "1.2.3.4", "2", "b", "b", "2"]),
    ("a.b a..b foo. .foo", ["a.b", "a", "b", "foo", "foo"]),
    ("a_b _a a_ __ _ a__b 1_2", ["a_b", "_a", "a_", "a__b", "1_2"]),
    ("foo:bar a:1 10:30", ["foo:bar", "a", "1", "10", "30"]),
    ("1;2 1'2 a;b a,b 1.a", ["1;2", "1'2", "a", "b", "a", "b", "1", "a"]),
    ("e-mail x@y.com http://a.b/c?d=e", ["e", "mail", "x", "y.com", "http", "a.b", "c", "d", "e"]),
    ("C++ c# .net node.js v1.2.3-beta", ["c", "c", "net", "node.js", "v1.2.3", "beta"]),
    ("L\u2019homme d'aujourd'hui", ["l\u2019homme", "d'aujourd'hui"]),
    ("Straße \u0130stanbul ΑΣ ΌΣΟΣ", ["straße", "istanbul", "ασ", "όσοσ"]),
    ("re\u0301sume\u0301 a\u00adb a\u200bb", ["re\u0301sume\u0301", "a\u00adb", "a", "b"]),
    ("日本語 ひらがな カタカナ", ["日", "本", "語", "ひ", "ら", "が", "な", "カタカナ"]),
    ("한국어 텍스트abc", ["한국어", "텍스트abc"]),
    ("ไทยภาษา ລາວ", ["ไทยภาษา", "ລາວ"]),
    ('שלום צה"ל', ["שלום", 'צה"ל']),
    ("😀 👍🏽 👨\u200d👩\u200d👧 🇩🇪🇫🇷", ["😀", "👍🏽", "👨\u200d👩\u200d👧", "🇩🇪", "🇫🇷"]),
    ("1\ufe0f\u20e3 #\ufe0f\u20e3 © ✓", ["1\ufe0f\u20e3", "#\ufe0f\u20e3", "©"]),
    ("a·b a：b １：２ ａ．ｂ", ["a·b", "a：b", "１", "２", "ａ．ｂ"]),
    ("", []),
    ("\t\n ...", []),
]


@pytest.mark.parametrize(("text", "expected"), ANSWERS, ids=[text for text, _ in ANSWERS])
def test_cuts_words_as_the_reference(text: str, expected: list[str]) -> None:
    assert tokens(text) == expected


def test_a_word_of_more_than_255_units_is_cut() -> None:
    assert [len(each) for each in tokens("x" * 600 + " y")] == [255, 255, 90, 1]


def test_a_cut_never_parts_a_surrogate_pair() -> None:
    pieces = tokens("𝒳" * 200)
    assert [len(each) for each in pieces] == [127, 73]


def test_a_piece_does_not_begin_with_what_only_joins() -> None:
    assert [len(each) for each in tokens("a." * 200)] == [255, 143]


def test_documents_and_queries_are_cut_alike() -> None:
    text = "Foo.Bar (baz) d'été, 日本 1,5 _x_"
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("t", tokenizer_name="standard")
    schema = builder.build()
    index = tantivy.Index(schema)
    register_tokenizers(index)
    writer = index.writer(15_000_000, 1)
    writer.add_document(tantivy.Document.from_dict({"t": prepare(text)}, schema))
    writer.commit()
    index.reload()
    indexed = {term for word in tokens(text) for term in [word] if _found(index, schema, word)}
    assert indexed == set(tokens(text)) == {"foo.bar", "baz", "d'été", "日", "本", "1,5", "_x_"}


def _found(index: tantivy.Index, schema: tantivy.Schema, word: str) -> bool:
    query = tantivy.Query.term_query(schema, "t", word)
    return bool(index.searcher().search(query, 1).hits)


def test_preparing_twice_changes_nothing() -> None:
    for text, _ in ANSWERS:
        assert tokens(prepare(text)) == tokens(text)
