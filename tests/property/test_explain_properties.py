"""What `explain` says acts is what acts when the gesture is shown, and nothing else."""

from __future__ import annotations

from random import Random

import pytest

from gesturectl import bindings
from gesturectl.explain import Moment, explain
from gesturectl.types import Began, Window
from tests.fuzzing import APPS, MODES, MOTIONS, POSES, profile


@pytest.mark.parametrize("block", range(4))
def test_explain_and_bindings_agree_on_who_hears_a_beginning(block: int) -> None:
    for seed in range(block * 100, (block + 1) * 100):
        random = Random(seed)
        rules = profile(random)
        state = bindings.initial(rules)
        state, _ = bindings.step(rules, state, Window(0, app=random.choice(APPS)))
        mode = random.choice(MODES)
        state = bindings.State(
            mode=mode, application=state.application, window=state.window, acted_us={}
        )
        gesture, side = random.choice((*POSES, *MOTIONS)), random.choice(("left", "right"))
        sure = random.choice((0.3, 0.7, 1.0))
        after, sent = bindings.step(rules, state, Began(1, gesture, side, sure))
        moment = Moment(gesture, side, sure, mode=mode, window=state.window)
        acts = [verdict.binding for verdict in explain(rules, moment) if verdict.acts]
        heard = {rules.bindings[index] for index, _ in after.playing}
        assert heard <= set(acts)
        if sent and after.mode == mode:
            assert acts, f"seed {seed}: something acts, and nothing is said to"
