"""The `standard` analyzer: Unicode word segmentation (UAX #29) and lower case, no stop words.

Words are found before tantivy sees the text: `prepare` gives the text with everything that is not a word replaced by
spaces, and the tantivy tokenizer only splits at spaces and lowers the case. The writer must call `prepare` on every
value of a text field; `tokens` does it for queries. A segmentation by tantivy's own regex tokenizer is right too, but
it sets its automaton up anew for each value: a third of the speed of this way on short documents.

A token has at most 255 UTF-16 units; a longer word is cut into pieces.
"""

import re
from functools import lru_cache

import tantivy

NAME = "standard"
MAX_TOKEN_LENGTH = 255

# Extend, Format and ZWJ characters belong to the character before them (rule WB4).
_TAIL = r"[\p{WB=Extend}\p{WB=Format}\p{WB=ZWJ}]*"


def _class(*members: str) -> str:
    return f"(?:[{''.join(members)}]{_TAIL})"


_LETTER = _class(r"\p{WB=ALetter}")
_HEBREW = _class(r"\p{WB=Hebrew_Letter}")
_ANY_LETTER = _class(r"\p{WB=ALetter}", r"\p{WB=Hebrew_Letter}")
_DIGIT = _class(r"\p{WB=Numeric}")
_KATAKANA = _class(r"\p{WB=Katakana}")
_JOINER = _class(r"\p{WB=ExtendNumLet}")
_MID_LETTER = _class(r"\p{WB=MidLetter}", r"\p{WB=MidNumLet}", "'")
_MID_NUMBER = _class(r"\p{WB=MidNum}", r"\p{WB=MidNumLet}", "'")
_SINGLE_QUOTE = _class("'")
_DOUBLE_QUOTE = _class('"')

_LETTERS = f"{_ANY_LETTER}(?:(?:{_JOINER}*|{_MID_LETTER}){_ANY_LETTER})*"
_DIGITS = f"{_DIGIT}(?:(?:{_JOINER}*|{_MID_NUMBER}){_DIGIT})*"
_HEBREW_QUOTED = (
    f"{_HEBREW}(?:{_MID_LETTER}?{_HEBREW})*(?:{_DOUBLE_QUOTE}{_HEBREW}|{_SINGLE_QUOTE})"
)
_CORE = f"(?:{_KATAKANA}(?:{_JOINER}*{_KATAKANA})*|(?:{_HEBREW_QUOTED}|{_DIGITS}|{_LETTERS})+)"
_WORD = f"{_JOINER}*{_CORE}(?:{_JOINER}+{_CORE})*{_JOINER}*"

_PICTOGRAPH = (
    r"[\p{Extended_Pictographic}\p{Emoji_Modifier}][\p{WB=Extend}\p{WB=Format}&&[^\x{200D}]]*"
)
_FLAG = rf"\p{{WB=Regional_Indicator}}{_TAIL}"
_EMOJI = (
    rf"[0-9#*]\x{{FE0F}}?\x{{20E3}}{_TAIL}|{_FLAG}{_FLAG}"
    rf"|{_PICTOGRAPH}(?:\x{{200D}}{_PICTOGRAPH})*{_TAIL}"
)

# Scripts written without spaces whose words only a dictionary could find: a run is one token.
_COMPLEX = (
    "[["
    + "".join(
        rf"\p{{{script}}}"
        for script in (
            "Thai",
            "Lao",
            "Khmer",
            "Myanmar",
            "Tai_Le",
            "New_Tai_Lue",
            "Tai_Tham",
            "Tai_Viet",
            "Ahom",
        )
    )
    + rf"]&&[\p{{L}}\p{{M}}]]{_TAIL}"
)
_IDEOGRAPH = rf"[\p{{Han}}\p{{Hiragana}}]{_TAIL}"

PATTERN = f"{_EMOJI}|(?:{_COMPLEX})+|{_WORD}|{_IDEOGRAPH}"

# Most text is of letters that need no tables: Latin, Greek and Cyrillic, with the usual punctuation. For these the
# rules come down to: a run of letters, digits and underscores; `.` and quotes inside it between two letters or two
# digits, `:` and `·` between letters, `,` and `;` between digits.
_SIMPLE_LETTERS = (
    "A-Za-z\u00aa\u00b5\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02af"
    "\u0391-\u03a1\u03a3-\u03ce\u0400-\u0481"
)
_L = f"[{_SIMPLE_LETTERS}]"
_SEPARATORS = "\u2013\u2014\u201c\u201d\u201e\u2026\u00ab\u00bb\u00a7\u00b0\u20ac\u00a3\u00a0"
_NOT_SIMPLE = re.compile(f"[^\x00-\x7f{_SIMPLE_LETTERS}{_SEPARATORS}\u2018\u2019\u00b7]")
_TO_SPACES = str.maketrans(
    {chr(c): " " for c in range(128) if not (chr(c).isalnum() or chr(c) in "_.,:;'")}
    | dict.fromkeys(_SEPARATORS, " ")
)
_MIDDLES = frozenset(".,:;'\u2018\u2019\u00b7")
_HAS_MIDDLE = re.compile("[.,:;'_\u2018\u2019\u00b7]")
_LOOSE = re.compile(
    # a middle character that does not stand between its like, an underscore without a word
    f"[.'\u2018\u2019](?!(?<={_L}.){_L}|(?<=[0-9].)[0-9])"
    f"|[:\u00b7](?!(?<={_L}.){_L})"
    "|[,;](?!(?<=[0-9].)[0-9])"
)
_LONE_UNDERSCORES = re.compile(r"(?<!\S)_+(?!\S)")

# Only a run without white space can hold a token that is too long; a character may be two units.
_LONG_RUN_FROM = MAX_TOKEN_LENGTH // 2 + 1
_LONG_RUN = re.compile(rf"\S{{{_LONG_RUN_FROM},}}")

# The only letter whose lower case is one character in the reference and two here.
_DOTTED_I = "\u0130"


@lru_cache(maxsize=1)
def _analyzer() -> tantivy.TextAnalyzer:
    return (
        tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace())
        .filter(tantivy.Filter.lowercase())
        .build()
    )


@lru_cache(maxsize=1)
def _segmenter() -> tantivy.TextAnalyzer:
    return tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.regex(PATTERN)).build()


def register_tokenizers(index: tantivy.Index) -> None:
    """Makes the analyzer known to an opened index. To be called before its first write or search."""
    index.register_tokenizer(NAME, _analyzer())


def prepare(text: str) -> str:
    """`text` as its words in their order and case, parted by white space: what goes into a text field."""
    if _DOTTED_I in text:
        text = text.replace(_DOTTED_I, "i")
    if not text.isascii() and _NOT_SIMPLE.search(text) is not None:
        text = " ".join(_segmenter().analyze(text))
    else:
        text = text.translate(_TO_SPACES)
        if _HAS_MIDDLE.search(text) is not None:
            text = _LOOSE.sub(" ", text)
            if "_" in text:
                text = _LONE_UNDERSCORES.sub(" ", text)
    if len(text) >= _LONG_RUN_FROM and _LONG_RUN.search(text) is not None:
        text = _LONG_RUN.sub(lambda word: " ".join(_chunks(word.group())), text)
    return text


def tokens(text: str) -> list[str]:
    """The tokens of `text`, in order."""
    return list(_analyzer().analyze(prepare(text)))


def _chunks(token: str) -> list[str]:
    chunks: list[str] = []
    start = units = 0
    for at, char in enumerate(token):
        width = 2 if ord(char) > 0xFFFF else 1
        if units + width > MAX_TOKEN_LENGTH:
            chunks.append(token[start:at])
            start, units = at, 0
        if units == 0 and char in _MIDDLES:
            start = at + 1
            continue
        units += width
    chunks.append(token[start:])
    return chunks
