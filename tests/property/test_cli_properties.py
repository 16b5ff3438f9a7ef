"""Nonsense on the command line is answered with a code and advice, never with a traceback."""

from __future__ import annotations

import sys
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gesturectl.cli import main

# None of these words, alone or together, starts anything that takes long or touches the desktop.
COMMANDS = st.sampled_from(
    ["check", "schema", "list", "models", "bench", "replay", "rnu", "--", "-"]
)
WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
OPTIONS = st.sampled_from(["--jsn", "--json=1", "--profile", "--profile=", "-", "--source", "-vvv"])
ARGUMENTS = st.tuples(COMMANDS, st.lists(OPTIONS | WORDS, max_size=4)).map(
    lambda parts: [parts[0], *parts[1]]
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(ARGUMENTS)
def test_nonsense_never_ends_in_a_traceback(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    with (
        mock.patch.object(sys, "argv", ["gesturectl", *arguments, "--no-such-option"]),
        pytest.raises(SystemExit) as ended,
    ):
        main()
    _, err = capsys.readouterr()
    assert ended.value.code in (0, 2, 3)
    assert "Traceback" not in err
    if ended.value.code:
        assert err.strip()
