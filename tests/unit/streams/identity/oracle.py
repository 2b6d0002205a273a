"""What the edges and the grouping must be, computed from the live records alone, the slow and obvious way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import combinations

from streams.identity.grouping import Limits
from tests.unit.streams.identity.fake_matcher import KINDS, Card, FakeMatcher, match_key

Pair = tuple[str, str]


def edges(cards: Mapping[str, Card], floor: int) -> dict[Pair, int]:
    holders: dict[tuple[str, str], list[str]] = {}
    for record, card in cards.items():
        for value in card.values:
            holders.setdefault(value, []).append(record)
    on = {v for v, who in holders.items() if not KINDS[v[0]].links and len(who) <= KINDS[v[0]].limit}
    generic = {
        match_key(*v)
        for v, who in holders.items()
        if KINDS[v[0]].distinct_names
        and (v not in on or len({cards[w].name for w in who if cards[w].name}) > KINDS[v[0]].distinct_names)
    }
    found = {}
    for a, b in combinations(sorted(cards), 2):
        if on & set(cards[a].values) & set(cards[b].values):
            score = FakeMatcher().compare(cards[a], cards[b], generic).score
            if score >= floor:
                found[a, b] = score
    return found


def grouping(cards: Mapping[str, Card], large_block: int, limits: Limits) -> set[frozenset[str]]:
    matcher = FakeMatcher()
    match = matcher.thresholds(matcher.size_class(len(cards))).match
    strong = {pair: score for pair, score in edges(cards, 0).items() if score >= match}
    blocks = _connected(cards, [(a, b) for a, b in combinations(cards, 2) if _linked(cards[a], cards[b])])
    block = {record: b for b in blocks for record in b}
    large = {b for b in blocks if len(b) > large_block}
    strong = {
        (a, b): s for (a, b), s in strong.items() if block[a] != block[b] and not (block[a] in large and block[b] in large)
    }
    answer: dict[frozenset[str], set[str]] = {b: set(b) for b in large}
    small: set[frozenset[str]] = set()
    waiting = [({r for r in cards if block[r] not in large}, strong, 0)]
    while waiting:
        records, pairs, threshold = waiting.pop()
        pairs = {p: s for p, s in pairs.items() if s >= threshold}
        inner = [p for p in pairs if block[p[0]] not in large and block[p[1]] not in large]
        same_block = [(a, b) for a in records for b in block[a]]
        for part in _connected(records, [*inner, *same_block]):
            mine = {p: s for p, s in pairs.items() if p[0] in part or p[1] in part}
            if len({block[r] for r in part}) > limits.units:
                waiting.append((set(part), mine, min(mine.values()) + limits.step))
                continue
            for cluster in _clusters(cards, part, mine, block, large, limits.margin):
                into = [b for b in large if b & cluster]
                if into:
                    answer[into[0]] |= cluster
                else:
                    small.add(cluster)
    return small | {frozenset(records) for records in answer.values()}


def _clusters(
    cards: Mapping[str, Card],
    part: frozenset[str],
    pairs: Mapping[Pair, int],
    block: Mapping[str, frozenset[str]],
    large: set[frozenset[str]],
    margin: int,
) -> set[frozenset[str]]:
    matcher = FakeMatcher()

    def says(cluster: frozenset[str], at: str) -> list[Card]:
        return [cards[at]] if any(b <= cluster for b in large) else [cards[r] for r in cluster]

    def greedy(pairs: Mapping[Pair, int]) -> dict[str, frozenset[str]]:
        at = {r: block[r] for r in {*part, *(r for pair in pairs for r in pair)}}
        for a, b in sorted(pairs, key=lambda p: (-pairs[p], p)):
            left, right = at[a], at[b]
            both_large = any(x <= left for x in large) and any(x <= right for x in large)
            if left != right and not both_large and not matcher.veto(says(left, a), says(right, b)):
                at.update(dict.fromkeys(left | right, left | right))
        return at

    at = greedy(pairs)
    torn = set()
    for pair, score in pairs.items():
        for x, y in (pair, pair[::-1]):
            own = [s for p, s in pairs.items() if x in p and at[p[0]] == at[p[1]]]
            alone = len(block[x]) == 1 and block[x] not in large
            if (
                at[x] != at[y]
                and alone
                and own
                and score >= max(own) - margin
                and not matcher.veto([cards[x]], says(at[y], y))
            ):
                torn.add(x)
    at = greedy({p: s for p, s in pairs.items() if not torn & set(p)})
    return set(at.values())


def _linked(a: Card, b: Card) -> bool:
    return any(KINDS[value[0]].links for value in set(a.values) & set(b.values))


def _connected(records: Iterable[str], pairs: Iterable[Pair]) -> set[frozenset[str]]:
    label = {record: record for record in records}
    for a, b in pairs:
        if a in label and b in label and label[a] != label[b]:
            old, new = label[a], label[b]
            label = {r: new if at == old else at for r, at in label.items()}
    return {frozenset(r for r, at in label.items() if at == name) for name, _ in Counter(label.values()).items()}
