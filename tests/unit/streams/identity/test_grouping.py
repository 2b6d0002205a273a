"""Grouping one component: the strongest evidence first, contradictions kept apart, nothing depends on order."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.identity.grouping import Edge, Limits, Unit, Veto, group

LIMITS = Limits(units=5, step=10, margin=20)


def never(left: Sequence[str], right: Sequence[str]) -> bool:
    return False


def apart(*pairs: str) -> Veto:
    """Clusters contradict each other if they hold the two records of such a pair: `ab`."""

    def veto(left: Sequence[str], right: Sequence[str]) -> bool:
        return any((p[0] in left and p[1] in right) or (p[1] in left and p[0] in right) for p in pairs)

    return veto


def run(records: str, edges: dict[str, int], veto: Veto = never, blocks: Sequence[str] = (), large: str = "") -> list[str]:
    singles = [record for record in records if not any(record in block for block in blocks)]
    units = [Unit(tuple(sorted(each)), large=bool(large) and each == large) for each in (*singles, *blocks)]
    found = group(units, [Edge(score, pair[0], pair[1]) for pair, score in edges.items()], veto, LIMITS)
    return ["".join(cluster) for cluster in found]


def test_edges_join_and_records_without_any_stay_alone() -> None:
    assert run("abcd", {"ab": 500, "bc": 400}) == ["abc", "d"]


def test_the_stronger_edge_wins_a_record_that_two_contradicting_clusters_claim() -> None:
    assert run("abx", {"ax": 500, "bx": 400}, apart("ab")) == ["ax", "b"]


def test_a_record_claimed_about_equally_by_two_contradicting_clusters_joins_neither() -> None:
    assert run("abx", {"ax": 500, "bx": 481}, apart("ab")) == ["a", "b", "x"]


def test_a_record_that_itself_contradicts_the_other_cluster_is_not_torn() -> None:
    assert run("abx", {"ax": 500, "bx": 490}, apart("ab", "bx")) == ["ax", "b"]


def test_a_block_is_one_customer_without_any_edge() -> None:
    assert run("abc", {}, blocks=["bc"]) == ["a", "bc"]


def test_a_block_is_never_torn() -> None:
    assert run("abxy", {"ax": 500, "bx": 490}, apart("ab"), blocks=["xy"]) == ["axy", "b"]


def test_a_component_that_is_too_large_raises_its_threshold_until_its_parts_fit() -> None:
    chain = {"ab": 500, "bc": 500, "cd": 400, "de": 500, "ef": 500}
    assert run("abcdef", chain) == ["abc", "def"]
    assert run("abcde", {pair: score for pair, score in chain.items() if "f" not in pair}) == ["abcde"]


def test_two_large_blocks_never_merge() -> None:
    units = [Unit(("a", "b"), large=True), Unit(("c", "d"), large=True)]
    assert group(units, [Edge(900, "b", "c")], never, LIMITS) == [("a", "b"), ("c", "d")]


def test_a_large_block_speaks_only_for_the_record_at_hand() -> None:
    edges = {"bx": 500}
    assert run("abx", edges, apart("ax"), blocks=["ab"]) == ["ab", "x"]
    assert run("abx", edges, apart("ax"), blocks=["ab"], large="ab") == ["abx"]


def test_a_large_block_is_never_torn_however_little_of_it_is_at_hand() -> None:
    units = [Unit(("h",), large=True), Unit(("x",), large=True), Unit(("y",)), Unit(("z",))]
    edges = [Edge(500, "h", "y"), Edge(470, "x", "y"), Edge(480, "x", "z")]
    assert group(units, edges, never, LIMITS) == [("h", "y"), ("x", "z")]


def test_what_hangs_on_a_large_block_is_not_one_component() -> None:
    edges = {f"a{x}": 500 for x in "cdefgh"}
    assert run("abcdefgh", edges, blocks=["ab"], large="ab") == ["abcdefgh"]


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**32))
def test_the_order_of_units_and_edges_never_matters(seed: int) -> None:
    random = Random(seed)
    records = "abcdefghij"[: random.randint(2, 10)]
    edges = [Edge(random.randrange(300, 400, 5), a, b) for a in records for b in records if a < b and random.random() < 0.4]
    veto = apart(*(random.choice(records) + random.choice(records) for _ in range(3)))
    units = [Unit((record,)) for record in records[2:]]
    units.append(Unit(tuple(records[:2]), large=random.random() < 0.5))
    expected = group(units, edges, veto, LIMITS)
    random.shuffle(units)
    random.shuffle(edges)
    assert group(units, edges, veto, LIMITS) == expected
    assert sorted(record for cluster in expected for record in cluster) == sorted(records)
