"""The group coordinator: which member holds which partition. Cooperative: a partition is given up before it is given."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from random import Random

from streams.engine.log import Inbox

SESSION_TIMEOUT_MS = 500


class Member:
    """One consumer in the group, from its join to its end."""

    def __init__(self, name: str, generation: int) -> None:
        self.name = name
        self.generation = generation  # newest its client knows
        self.silent_since: int | None = None  # no heartbeat since then
        self.gone = False


class Group:
    """The members of one processor. A change of members starts a new generation; the old one's commits are refused."""

    def __init__(self, name: str, inboxes: Iterable[Inbox], random: Random, happened: Callable[[str], None]) -> None:
        self.name = name
        self.inboxes = list(inboxes)
        self.generation = 0
        self._random = random
        self._happened = happened
        self._members: list[Member] = []
        self._wanted: dict[Inbox, Member] = {}
        self._held: dict[Inbox, Member] = {}

    def join(self, name: str) -> Member:
        member = Member(name, self.generation)
        self._members.append(member)
        self._rebalance()
        return member

    def leave(self, member: Member) -> None:
        """At once; what the member held is free."""
        if member.gone:
            return
        member.gone = True
        self._members.remove(member)
        self._held = {inbox: holder for inbox, holder in self._held.items() if holder is not member}
        self._rebalance()

    def tick(self, now: int) -> None:
        """Removes members that were silent for too long."""
        for member in [m for m in self._members if m.silent_since is not None]:
            assert member.silent_since is not None
            if now - member.silent_since > SESSION_TIMEOUT_MS:
                self._happened("member removed after its session time-out")
                self.leave(member)

    def accepts(self, member: Member) -> bool:
        """Whether offsets committed by this member count."""
        return not member.gone and member.generation == self.generation

    def to_give_up(self, member: Member) -> list[Inbox]:
        return [inbox for inbox, holder in self._held.items() if holder is member and self._wanted[inbox] is not member]

    def give_up(self, member: Member, inboxes: Iterable[Inbox]) -> None:
        """A partition without a holder is given in the next generation."""
        for inbox in inboxes:
            del self._held[inbox]
        self._rebalance(shuffle=False)

    def holds(self, member: Member) -> list[Inbox]:
        return [inbox for inbox, holder in self._held.items() if holder is member]

    def holder(self, inbox: Inbox) -> Member | None:
        return self._held.get(inbox)

    def _rebalance(self, *, shuffle: bool = True) -> None:
        self.generation += 1
        if not self._members:
            self._wanted = {}
            return
        if shuffle:
            self._wanted = self._spread()
        for inbox, member in self._wanted.items():
            if inbox not in self._held:
                self._held[inbox] = member

    def _spread(self) -> dict[Inbox, Member]:
        """Even, and sometimes sticky."""
        members = self._random.sample(self._members, len(self._members))
        wanted = {inbox: members[number % len(members)] for number, inbox in enumerate(self.inboxes)}
        if self._random.random() < 0.5:
            wanted |= {inbox: holder for inbox, holder in self._held.items() if self._random.random() < 0.5}
        return wanted
