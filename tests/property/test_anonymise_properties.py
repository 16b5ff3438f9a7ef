"""Whatever a file says: nothing of it that the language does not know can be read afterwards."""

from __future__ import annotations

import json

import yaml
from hypothesis import given
from hypothesis import strategies as st

from gesturectl.anonymise import Anonymiser, shown, vocabulary

KEYS = st.sampled_from(
    ["text", "say", "do", "bindings", "gesture", "mode", "modes", "macros", "keys", "match", "run",
     "webhook", "source", "zones", "unknown_word", "hold_for"]
)  # fmt: skip
SECRET = st.from_regex(r"zq[a-z ]{2,12}x", fullmatch=True)
CLOSED = st.sampled_from(["text", "say", "notify", "run", "webhook", "match", "macro", "txet"])


@given(
    st.recursive(
        SECRET,
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(KEYS | SECRET, inner, max_size=3)
        ),
        max_leaves=12,
    )
)
def test_no_word_of_the_user_s_is_left(tree: object) -> None:
    said = json.dumps(shown(yaml.safe_dump(tree).encode(), "a.yaml", Anonymiser()))
    assert "zq" not in said


@given(CLOSED, st.integers(100, 10**9) | st.booleans())
def test_where_texts_stand_numbers_are_texts(key: str, value: object) -> None:
    said = shown(yaml.safe_dump({"do": {key: [value]}}).encode(), "a.yaml", Anonymiser())
    assert str(value) not in json.dumps(said)


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz0123456789", min_size=2, max_size=9))
def test_keys_do_not_spell(word: str) -> None:
    text = yaml.safe_dump({"keys": " ".join(word)}).encode()
    said = shown(text, "a.yaml", Anonymiser())
    assert said == {"keys": " ".join("…" * len(word))}


@given(st.binary(max_size=200))
def test_any_bytes_are_shown_or_refused(data: bytes) -> None:
    json.dumps(shown(data, "a.yaml", Anonymiser()))


def test_the_language_s_words_hold_nothing_of_examples() -> None:
    assert {"text", "fist", "ctrl"} - vocabulary() <= {"ctrl"}
    assert "YouTube" not in vocabulary()
