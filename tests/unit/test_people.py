"""Who is there: whose a hand is, who goes on being who, and who is somebody else."""

from __future__ import annotations

from collections.abc import Iterable

from gesturectl import people
from gesturectl.people import Crowd, Person
from gesturectl.types import Body, Hand, Observation
from tests.sensing import STANDING_M, body, filmed, frame, hand

KEEP_US = 3_000_000

# A body's wrists hang 0.36 of its half metre scale beside and below: see `tests.sensing`.
WRIST = 0.18 * 0.5 / (640 / 480)


def at_wrist(right: float, *, side: str = "right", down: float = 0.6) -> Hand:
    """A hand whose wrist is at that of a body that stands here."""
    away = WRIST if side == "right" else -WRIST
    one = hand(right + away, down + 0.03, side=side, size=0.045)  # type: ignore[arg-type]
    shift = (1 - right - away, down + 0.03) - one.image[0, :2]
    image = one.image.copy()
    image[:, :2] += shift
    return Hand(one.side, one.score, image, one.world)


def follow(film: Iterable[Observation], keep_us: int = KEEP_US) -> list[tuple[Person, ...]]:
    crowd, shown = Crowd(), []
    for observation in film:
        crowd, here = people.step(crowd, observation, keep_us)
        shown.append(here)
    return shown


def numbers(shown: list[tuple[Person, ...]]) -> list[tuple[int, ...]]:
    """Who is there, in turn, without repetitions."""
    told: list[tuple[int, ...]] = []
    for here in shown:
        now = tuple(one.number for one in here)
        if not told or told[-1] != now:
            told.append(now)
    return told


def one_frame(*who: Hand | Body) -> tuple[Person, ...]:
    return people.step(Crowd(), frame(0, *who), KEEP_US)[1]


def test_nobody_is_no_person() -> None:
    assert one_frame() == ()


def test_hands_are_of_the_body_whose_wrist_they_are_at() -> None:
    left, right = body(right=0.25), body(right=0.75)
    hands = [at_wrist(0.75), at_wrist(0.25, side="left"), at_wrist(0.25)]
    one, other = one_frame(right, left, *hands)
    assert (one.number, one.body, one.hands) == (1, left, (hands[1], hands[2]))
    assert (other.number, other.body, other.hands) == (2, right, (hands[0],))


def test_a_hand_far_from_every_wrist_is_somebody_else_s() -> None:
    stranger, whose = one_frame(body(right=0.5), hand(0.1, 0.2))
    assert (whose.hands, stranger.body) == ((), None)


def test_two_hands_of_one_body_with_one_label_get_the_sides_that_the_body_gives_them() -> None:
    (one,) = one_frame(body(), at_wrist(0.5), at_wrist(0.5, side="left"))
    both = {item.side: item.image for item in one.hands}
    (same,) = one_frame(body(), *(Hand("right", 0.9, item.image) for item in one.hands))
    assert {item.side: item.image.tolist() for item in same.hands} == {
        side: image.tolist() for side, image in both.items()
    }


def test_without_bodies_a_left_and_a_right_hand_near_each_other_are_one_person() -> None:
    (one,) = one_frame(hand(0.4, side="left"), hand(0.6))
    assert {item.side for item in one.hands} == {"left", "right"}


def test_without_bodies_two_right_hands_are_two_people_1() -> None:
    assert [one.number for one in one_frame(hand(0.4), hand(0.6))] == [1, 2]


def test_without_bodies_hands_of_two_sizes_are_two_people() -> None:
    assert len(one_frame(hand(0.4, side="left", size=0.05), hand(0.6, size=0.12))) == 2


def test_without_bodies_four_hands_in_a_row_are_two_people() -> None:
    row = [hand(x, side=s, size=0.06) for x, s in ((0.2, "left"), (0.3, "right"))]  # type: ignore[arg-type]
    row += [hand(x, side=s, size=0.06) for x, s in ((0.6, "left"), (0.7, "right"))]  # type: ignore[arg-type]
    one, other = one_frame(*reversed(row))
    assert {item.side for item in one.hands} == {item.side for item in other.hands}
    assert one.box[2] < other.box[0]


def test_1_who_is_back_soon_is_the_same_also_a_little_aside() -> None:
    film = filmed(4, lambda t: body(right=0.3 if t < 1 else 0.34) if t < 1 or t > 3 else None)
    assert numbers(follow(film)) == [(1,), (), (1,)]


def test_2_a_body_that_comes_to_its_hand_is_not_somebody_new() -> None:
    film = filmed(2, lambda t: (at_wrist(0.5), body()) if t > 1 else at_wrist(0.5))
    shown = follow(film)
    assert numbers(shown) == [(1,)]
    assert shown[-1][0].body is not None


def test_3_a_body_and_its_hand_go_on_alone() -> None:
    def look(t: float) -> object:
        both = (body(), at_wrist(0.5))
        return both if t < 1 else both[1] if t < 2 else both[0]

    shown = follow(filmed(3, look))
    assert numbers(shown) == [(1,)]
    assert all(one.body_known for (one,) in shown)


def test_4_who_comes_long_after_is_somebody_new() -> None:
    film = filmed(6, lambda t: body() if t < 1 or t > 5 else None)
    assert numbers(follow(film)) == [(1,), (), (2,)]


def test_5_two_right_hands_go_on_being_two_people_as_one_is_lost_and_found() -> None:
    def look(t: float) -> object:
        both = (hand(0.3), hand(0.7))
        return both if t < 1 or t > 1.5 else both[1]

    assert numbers(follow(filmed(3, look))) == [(1, 2), (2,), (1, 2)]


def test_who_takes_another_s_place_elsewhere_is_somebody_else() -> None:
    film = filmed(3, lambda t: body(right=0.2) if t < 1 else body(right=0.8))
    assert numbers(follow(film)) == [(1,), (2,)]


def test_a_walk_through_the_picture_is_one_person_s() -> None:
    shown = follow(filmed(4, lambda t: body(right=0.1 + 0.2 * t)))
    assert numbers(shown) == [(1,)]


def test_two_who_pass_each_other_at_two_distances_stay_who_they_are() -> None:
    near = STANDING_M * 1.9

    def look(t: float) -> object:
        return body(right=0.2 + 0.2 * t), body(near, right=0.8 - 0.2 * t)

    shown = follow(filmed(3, look))
    assert numbers(shown) == [(1, 2)]
    assert all(one.unit < other.unit for one, other in shown)


def test_a_body_found_twice_is_one_person() -> None:
    assert len(one_frame(body(right=0.5), body(right=0.51))) == 1


def test_a_body_without_shoulders_in_sight_is_nobody() -> None:
    assert one_frame(body(unseen=[11, 12])) == ()


def test_a_box_is_what_is_seen_as_in_a_mirror() -> None:
    (one,) = one_frame(hand(0.2, 0.5, size=0.06))
    left, top, right, bottom = one.box
    assert 0.1 < left < 0.2 < right < 0.3
    assert 0.3 < top < 0.5 < bottom < 0.7


def test_only_one_person_is_left_of_a_frame() -> None:
    seen = frame(0, body(right=0.25), body(right=0.75), at_wrist(0.25), at_wrist(0.75))
    _, (one, other) = people.step(Crowd(), seen, KEEP_US)
    left = people.only(seen, other)
    assert (left.t_us, left.size_px) == (seen.t_us, seen.size_px)
    assert (left.hands, left.bodies) == (other.hands, (other.body,))
    nobody = people.only(seen, None)
    assert (nobody.hands, nobody.bodies) == ((), ())
    assert one.number != other.number
