"""Partners' third-party services: sparse JSON snapshots of subscriptions."""

from __future__ import annotations

from typing import ClassVar

from connectors.simulated.capture import Held
from connectors.simulated.events import PARTNER_TOPIC
from connectors.simulated.records import ENCODER, Published, SystemRecord, iso_date

_PARTNERS = (
    ("streamflix", "sf", "Streamflix", ("basic", "family")),
    ("safehome", "sh", "SafeHome cover", ("home", "travel")),
)


class PartnerRecord(SystemRecord):
    source: ClassVar[str] = "partner"
    topic: ClassVar[str] = PARTNER_TOPIC

    def __init__(self, number: int, brand: str, held: Held, started: int) -> None:
        self._partner, prefix, self._service, plans = _PARTNERS[number % len(_PARTNERS)]
        super().__init__(f"{prefix}-{number:07d}", brand, held)
        self._plan = plans[number // 2 % len(plans)]
        self._started = iso_date(started)
        self._status = "active"
        self._revision = 0

    def create(self, time: int) -> None:
        self._publish(time)

    def change(self, time: int, part: str) -> None:  # noqa: ARG002  # a snapshot is whole whatever changed
        self._publish(time)

    def routine(self, time: int, choice: float) -> None:
        self._status = "paused" if choice < 0.5 else "cancelled"
        self._publish(time)

    def _publish(self, time: int) -> None:
        now = self._at(time)
        self._revision += 1
        held = self.held
        mobile = held.mobile
        event = {
            "partner": self._partner,
            "subscriberId": self.record_id,
            "brand": self.brand,
            "country": held.country.code,
            "ts": now // 1000,
            "rev": self._revision,
            "msisdn": mobile[1:] if mobile and mobile.startswith("+") else None,
            "email": held.email,
            "holder": {"first": held.given, "last": held.family, "born": held.birth},
            "service": {
                "id": f"{self.record_id}-p",
                "name": self._service,
                "plan": self._plan,
                "started": self._started,
            },
            "status": self._status,
        }
        self.published.append(Published(now, self.record_id.encode(), ENCODER.encode(event)))
