"""The members of a customer: on its page while they are few, beyond that each a row of its own.

So a company's ten thousandth site writes a few bytes, and a person's third record no row more.
"""

from __future__ import annotations

from collections.abc import Iterator

from streams.engine.contract import Store
from streams.identity.rows import CustomerRow, Keys

INLINE = 12
"""Members on the page itself: nearly every person's records."""


def members(store: Store, keys: Keys, customer: str, page: CustomerRow, after: int | None = None) -> Iterator[str]:
    """Records of a customer, longest-tenured first; of a later tenure than `after`. The page as it is now."""
    if page.count <= INLINE:
        ordered = sorted(page.members, key=page.members.__getitem__)
        yield from ordered if after is None else [member for member in ordered if page.members[member] > after]
    else:
        for _, record in store.scan(keys.members(customer), None if after is None else keys.member(customer, after)):
            yield record.decode()


def join(store: Store, keys: Keys, customer: str, page: CustomerRow, record: str, tenure: int) -> None:
    """One member more. `page` is changed; to write it is up to the caller."""
    page.count += 1
    if page.count <= INLINE:
        page.members[record] = tenure
        return
    for member, since in page.members.items():
        store.put(keys.member(customer, since), member.encode())
    page.members = {}
    store.put(keys.member(customer, tenure), record.encode())


def leave(store: Store, keys: Keys, customer: str, page: CustomerRow, record: str, tenure: int) -> None:
    """One member less. `page` is changed; to write it is up to the caller."""
    page.count -= 1
    if page.count < INLINE:
        del page.members[record]
        return
    store.delete(keys.member(customer, tenure))
    if page.count == INLINE:
        prefix = keys.members(customer)
        for row, member in list(store.scan(prefix)):
            page.members[member.decode()] = int.from_bytes(row[len(prefix) :])
            store.delete(row)
