import sqlite3
import unicodedata
from contextlib import closing, contextmanager

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from main.resources.catalogue.statements import match_expression
from main.service.model import Term, TermKind
from main.service.words import find_costly, parse_words

WORD, PHRASE, PREFIX = TermKind.WORD, TermKind.PHRASE, TermKind.PREFIX
SYNTAX = ['"', "*", "-", "+", "^", "(", ")", ":", "{", "}", "NEAR", "AND", "OR", "NOT", "name:", "NEAR(a b, 2)", "\0", "\ud800"]
BEYOND = ["لمبة", "مصباح", "\u202elamp", "e\u0301", "💡", "👩‍🔧", "ﬁ", "ß", "日本", "हिन्दी", "²", "\u00ad"]
PIECES = st.sampled_from(SYNTAX + BEYOND) | st.text(max_size=8)
TEXTS = st.lists(PIECES, max_size=6).map(" ".join) | st.lists(PIECES, max_size=6).map("".join) | st.text(max_size=40)


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("", ()),
        ("desk lamp", (Term("desk", WORD), Term("lamp", WORD))),
        ('"desk lamp"', (Term("desk lamp", PHRASE),)),
        ('"desk   lamp', (Term("desk lamp", PHRASE),)),
        ('"lamp"', (Term("lamp", WORD),)),
        ("lam*", (Term("lam", PREFIX),)),
        ("lam***", (Term("lam", PREFIX),)),
        ("l*mp", (Term("l*mp", WORD),)),
        ("lam-*", (Term("lam-*", WORD),)),
        ('"la* mp*"', (Term("la* mp*", PHRASE),)),
        ('* - "" ! \'', ()),
        ("lamp lamp desk", (Term("lamp", WORD), Term("desk", WORD))),
        ("NEAR AND OR", (Term("NEAR", WORD), Term("AND", WORD), Term("OR", WORD))),
        ("name:lamp", (Term("name:lamp", WORD),)),
        ("la\0mp", (Term("la", WORD), Term("mp", WORD))),
        ("la\ud800mp", (Term("la", WORD), Term("mp", WORD))),
        ('desk"brass lamp"oak', (Term("desk", WORD), Term("brass lamp", PHRASE), Term("oak", WORD))),
        ("مصباح نحاس*", (Term("مصباح", WORD), Term("نحاس", PREFIX))),
    ],
)
def test_a_search_text_becomes_words_phrases_and_prefixes(text, terms):
    assert parse_words(text) == terms


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("la*", None),
        ("٣٤*", None),
        ("lam* des* oak", None),
        ("lam* de*", "at least 3 letters or digits before each * where there are 2, not de*"),
        ("lamp* desk* oake*", None),
        ("lamp* desk* oak*", "at least 4 letters or digits before each * where there are 3, not oak*"),
        ("lamp* desk* oaken* bedside* lamp", "at most 3 prefixes, not 4"),
        ("lamp l*", "at least 2 letters or digits before each *, not l*"),
        ("desk-l*", "not desk-l*"),  # what the index looks for is "desk" and then whatever begins with "l"
        ("a b c d e f g h", None),
    ],
)
def test_a_prefix_that_costs_too_much_is_told(text, told):
    found = find_costly(parse_words(text))
    assert found is None if told is None else told in found


@given(TEXTS)
@example('"')
@example("*" * 50)
def test_any_text_gives_distinct_terms_with_something_to_find_in_each(text):
    terms = parse_words(text)
    assert len(set(terms)) == len(terms)
    for term in terms:
        assert any(unicodedata.category(sign)[0] in "LN" for sign in term.text)
        assert not any(unicodedata.category(sign) in {"Cc", "Cs"} for sign in term.text)


@given(TEXTS)
@example("NEAR(a b)")
@example('a" OR "b')
@example("name:*")
def test_any_text_is_an_expression_that_the_index_can_run(text):
    terms = parse_words(text)
    if terms:
        assert search(["lamp"], text) in ([], [0])


@contextmanager
def index_of(*names):
    """A text index as the catalogue has it, of these names."""
    with closing(sqlite3.connect(":memory:")) as index:
        index.execute("CREATE VIRTUAL TABLE found USING fts5(name, tokenize = 'unicode61 remove_diacritics 2')")
        index.executemany("INSERT INTO found (rowid, name) VALUES (?, ?)", enumerate(names))
        yield index


def search(names, text):
    expression = match_expression(parse_words(text))
    with index_of(*names) as index:
        return [row[0] for row in index.execute("SELECT rowid FROM found WHERE found MATCH ? ORDER BY rowid", (expression,))]


def indexable(word):
    """Whether the index has a token for the word at all: SQLite's table of letters is older than Python's by 21 signs."""
    with index_of(word) as index:
        index.execute("CREATE VIRTUAL TABLE words USING fts5vocab('found', 'row')")
        return index.execute("SELECT count(*) FROM words").fetchone()[0] > 0


NAMES = st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8), min_size=1, max_size=5)


@given(NAMES, st.data())
def test_a_product_is_found_by_each_word_of_its_name(words, data):
    name = " ".join(words)
    assume(name.split())  # a name of blanks has no word to be found by
    chosen = data.draw(st.sampled_from(name.split()))
    terms = parse_words(chosen)
    assume(terms)
    assume(all(indexable(term.text) for term in terms))
    assert search([name, "something else"], chosen)[:1] == [0]


@given(st.lists(st.sampled_from(["desk", "lamp", "brass", "مصباح", "lämpe"]), min_size=1, max_size=5), st.data())
def test_a_product_is_found_by_a_phrase_and_by_the_start_of_a_word_of_its_name(words, data):
    first = data.draw(st.integers(0, len(words) - 1))
    phrase = " ".join(words[first : first + 2])
    start = words[first][: data.draw(st.integers(1, len(words[first])))]
    assert search([" ".join(words)], f'"{phrase}"') == [0]
    assert search([" ".join(words)], f"{start}*") == [0]


@pytest.mark.parametrize("operator", ["NEAR", "AND", "OR", "NOT", "name", "near"])
def test_a_word_of_the_query_language_finds_only_products_with_that_word(operator):
    names = ["desk lamp", f"desk {operator} lamp"]
    assert search(names, operator) == [1]
    assert search(names, f"desk {operator} lamp") == [1]
    assert search(names, f"{operator}: (lamp)") == [1]
