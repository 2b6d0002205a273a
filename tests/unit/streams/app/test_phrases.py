from __future__ import annotations

import pytest

from schemas.canonical import Address, Consent, Email, Identification, Name, Phone, Subscription
from streams.app.phrases import phrase


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("individual", "individual"),
        (Name(use="legal", prefix="Ms", given="Ada", family="King"), "Ms Ada King (legal)"),
        (Email(value="ada@example.com", raw="ADA@example.com", verified=True), "ada@example.com (verified)"),
        (Phone(value="+353871234567", use="mobile", valid_from="2020-01-01"), "+353871234567 (mobile, from 2020-01-01)"),
        (Identification(type="passport", issuer="IE", value="P1", valid_to="2030-01-01"), "passport IE P1 (to 2030-01-01)"),
        (
            Address(use="billing", house="3", street="High St", locality="Cork", country="IE"),
            "3 High St, Cork, IE (billing)",
        ),
        (Subscription(id="S1", product="Fibre", start="2024-01-01"), "S1 Fibre (from 2024-01-01)"),
        (Consent(purpose="marketing", channel="sms", at="2024-01-01T10:00:00Z"), "marketing sms (refused, 2024-01-01)"),
        (Consent(purpose="marketing", granted=True), "marketing (granted)"),
    ],
)
def test_a_value_is_one_line_without_empty_fields(value: object, said: str) -> None:
    assert phrase(value) == said
