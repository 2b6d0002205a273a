from __future__ import annotations

import pytest

from streams.app.spreadsheet import text_cells


@pytest.mark.parametrize(
    "cell",
    [
        "=1+1",
        "+cmd|' /C calc'!A0",
        "-2+3+cmd|'x'!A1",
        "@SUM(A1:A9)",
        "\t=1",
        "\r=1",
        "\n=1",
        "\uff1d1",
        '=HYPERLINK("x")',
        "+",
        "-a",
    ],
)
def test_what_a_spreadsheet_would_run_is_text(cell: str) -> None:
    assert text_cells([cell]) == [f"'{cell}"]


@pytest.mark.parametrize(
    "cell", ["+49 30 123456", "+4930123456", "+1 (617) 273-5009", "-5", "-0.25", "A1", "", "'=1", "a=b", "5-3"]
)
def test_numbers_telephone_numbers_and_other_text_stay_as_they_are(cell: str) -> None:
    assert text_cells([cell]) == [cell]
