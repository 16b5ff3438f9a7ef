"""What `gesturectl run` does beside the loop: it takes up what was saved or learned meanwhile."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

from gesturectl import own, taughtfile
from gesturectl.daemon import Control, Meters
from gesturectl.engine import Step
from gesturectl.samples import Store
from gesturectl.watch import LOOK_US, reloading, stamps

NOTHING = Step((), (), ())


def test_a_model_learned_anew_is_taken_up_once_and_only_when_it_has_been_there_for_a_while() -> (
    None
):
    store, control = Store.of_user(), Control()
    stamp = partial(own.stamp, store)
    seen: list[int] = []
    note = reloading(control, stamp, lambda t_us, step, meters: seen.append(t_us))
    asked = []

    def pass_look(number: int) -> None:
        note(number * LOOK_US, NOTHING, Meters())
        asked.append(control.reload)
        control.reload = False

    pass_look(1)
    store.taught.mkdir(parents=True)
    card = store.taught / taughtfile.CARD
    card.write_text("{}", "utf-8")
    for second in (2, 3, 4):
        pass_look(second)
    os.utime(card, ns=(1, 1))
    for second in (5, 6, 7):
        pass_look(second)
    assert asked == [False, False, True, False, False, True, False]
    assert seen == [second * LOOK_US for second in range(1, 8)]


def test_it_does_not_look_at_the_disk_in_every_frame() -> None:
    store, control = Store.of_user(), Control()
    note = reloading(control, partial(own.stamp, store), lambda t_us, step, meters: None)
    note(LOOK_US, NOTHING, Meters())
    store.taught.mkdir(parents=True)
    (store.taught / taughtfile.CARD).write_text("{}", "utf-8")
    for t_us in range(LOOK_US, 2 * LOOK_US, 33_333):
        note(t_us, NOTHING, Meters())
    assert not control.reload


def test_a_profile_that_is_saved_in_place_or_by_renaming_has_another_stamp(tmp_path: Path) -> None:
    profile, draft = tmp_path / "mine.yaml", tmp_path / ".mine.yaml.swp"
    profile.write_text("version: 1", "utf-8")
    first = stamps([profile])
    assert stamps([profile]) == first
    profile.write_text("version: 1\n", "utf-8")
    second = stamps([profile])
    draft.write_text("version: 2\n", "utf-8")
    draft.rename(profile)
    third = stamps([profile])
    profile.unlink()
    assert len({first, second, third, stamps([profile])}) == 4
