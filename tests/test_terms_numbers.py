from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.splitting.numbers import write_number
from index.splitting.terms import find_terms


@pytest.mark.parametrize(
    "date",
    """2023-05-12|2023/05/12|2023.05.12|12.05.2023|12.5.2023|12 May 2023|12th of May, 2023|12. Mai 2023
    |12 de mayo de 2023|12 mai 2023|12 maggio 2023|12 mei 2023|12 de maio de 2023|12 maj 2023
    |12. toukokuuta 2023|12 Mayıs 2023|12 мая 2023
    |12 травня 2023|12 maja 2023|12 مايو 2023|١٢ مايو ٢٠٢٣|12 मई 2023|12 Μαΐου 2023|2023年5月12日|2023 年 5 月 12 日
    |2023년 5월 12일""".split("|"),
)
def test_a_date_has_the_same_terms_however_it_is_written(date: str) -> None:
    assert find_terms(f"({date.strip()})") == ["12", "may", "2023"]
    assert sorted(find_terms(f"on {date.strip()}.")) == sorted(find_terms("on May 12, 2023."))


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("Jan. 5, 2023", ["januari", "5", "2023"]),
        ("5 Jan 2023", ["5", "januari", "2023"]),
        ("im Mai 2023", ["im", "may", "2023"]),
        ("в мае 2023 года", ["в", "may", "2023", "год"]),
        ("mayo de 2023", ["may", "2023"]),
        ("2023-05-12T10:30:00", ["12", "may", "2023", "10:30:00"]),
        ("report_2023-05-12.pdf", ["report", "12", "may", "2023", "pdf"]),
        ("12/25/2023", ["25", "decemb", "2023"]),
        ("25/12/2023", ["25", "decemb", "2023"]),
        # Which is the month is not said.
        ("05/12/2023", ["5", "12", "2023"]),
        # No dates.
        ("2023-13-45", ["2023", "13", "45"]),
        ("Mars 2020", ["mar", "2020"]),
        ("Marco 2023", ["marco", "2023"]),
        ("Mayo 5", ["may", "5"]),
        ("2010-13", ["2010", "13"]),
        ("2010-12", ["decemb", "2010"]),
        ("marzo", ["marzo"]),
        ("v2023.05.12", ["2023.05.12"]),
    ],
)
def test_months_are_read_in_dates_alone(text: str, terms: list[str]) -> None:
    assert find_terms(text) == terms


@pytest.mark.parametrize(
    "text",
    [
        "18,500",
        "18 500",
        "18\u00a0500",
        "18\u202f500",
        "18\u2009500",
        "18'500",
        "18’500",
        "18.500",
        "18500.0",
        "١٨٬٥٠٠",
    ],
)
def test_thousands_are_parted_in_many_ways(text: str) -> None:
    assert find_terms(f"came to {text} kr") == find_terms("came to 18500 kr")


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("in 2019 500 people", ["in", "2019", "500", "peopl"]),
        ("on May 12 500 people", ["on", "may", "12", "500", "peopl"]),
        ("on 12 May 500 people", ["on", "12", "may", "500", "peopl"]),
        ("100 200 300", ["100", "200", "300"]),
        ("100 200", ["100", "200"]),
        ("12 345 17", ["12", "345", "17"]),
        ("45  123", ["45", "123"]),
        ("45\t123", ["45", "123"]),
        ("45 | 123", ["45", "123"]),
        ("45\n123", ["45", "123"]),
        ("040 123 456", ["040", "123", "456"]),
        ("+46 70 123 45 67", ["46", "70", "123", "45", "67"]),
        ("20 100-dollar bills", ["20", "100", "dollar", "bill"]),
        ("18 500–20 000 kr", ["18500", "20000", "kr"]),
        ("1,2,3", ["1", "2", "3"]),
        ("2019,2020", ["2019", "2020"]),
        ("185 000", ["185000"]),
        ("185 500 kr", ["185500", "kr"]),
        ("EUR 185 500", ["eur", "185500"]),
        ("12 345 678 sold", ["12345678", "sold"]),
        ("18 500,50", ["18500.50"]),
        ("v2.3.1 is version 2.3.1", ["2.3.1", "is", "version", "2.3.1"]),
    ],
)
def test_only_what_is_one_number_is_joined(text: str, terms: list[str]) -> None:
    assert find_terms(text) == terms


@pytest.mark.parametrize(
    ("digits", "number"),
    [
        ("1,500", "1500"),
        ("1,500.50", "1500.50"),
        ("1.500", "1500"),
        ("1.234.567", "1234567"),
        ("1.234,56", "1234.56"),
        ("1,00,000", "100000"),
        ("1,5", "1.5"),
        ("1.5", "1.5"),
        ("0,125", "0.125"),
        ("0.125", "0.125"),
        ("3,14159", "3.14159"),
        ("15.0", "15"),
        ("15.000", "15000"),
        ("10:30", "10:30"),
        ("192.168.1.100", "192.168.1.100"),
        ("1,2,3", "1,2,3"),
    ],
)
def test_a_number_is_written_as_it_is_compared(digits: str, number: str) -> None:
    assert write_number(digits) == number


@given(st.integers(1, 10**12))
def test_a_whole_number_is_itself_with_any_thousands(number: int) -> None:
    for mark in ",.":
        assert write_number(f"{number:,}".replace(",", mark)) == str(number)
    assert find_terms(f"{number:,}".replace(",", "\u00a0")) == [str(number)]


@given(st.dates())
def test_every_day_has_one_form(day: object) -> None:
    iso = str(day)
    year, month, of_month = iso.split("-")
    assert find_terms(iso) == find_terms(f"{of_month}.{month}.{year}") == find_terms(f"{year}年{month}月{of_month}日")
