"""The words of a profile's errors are part of the program: NAME.yaml must be refused with NAME.txt.

`UPDATE_GOLDEN=1 pytest tests/golden` writes what is said now; read the difference before you
commit it.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gesturectl.errors import ProfileError
from gesturectl.profile import parse

CASES = sorted((Path(__file__).parent / "profile_errors").glob("*.yaml"))


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_a_wrong_profile_is_refused_in_these_words(case: Path) -> None:
    with pytest.raises(ProfileError) as refused:
        parse(case.read_bytes(), case.name)
    expected = case.with_suffix(".txt")
    if os.environ.get("UPDATE_GOLDEN"):
        expected.write_text(f"{refused.value}\n", "utf-8")
    assert f"{refused.value}\n" == expected.read_text("utf-8")
