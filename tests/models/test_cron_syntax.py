import pytest

from mainsheet.models import cron


def faults(text: str) -> tuple[str, ...]:
    with pytest.raises(cron.BadCron) as raised:
        cron.parse(text)
    return raised.value.faults


FIVE = "Must have five fields: minute, hour, day of month, month, day of week."
MORE = "Must have five fields (minute, hour, day of month, month, day of week); seconds and years aren't supported."


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("@hourly", "0 * * * *"),
        ("@daily", "0 0 * * *"),
        ("@midnight", "0 0 * * *"),
        ("@Weekly", "0 0 * * SUN"),
        ("@monthly", "0 0 1 * *"),
        ("@yearly", "0 0 1 1 *"),
        ("@annually", "0 0 1 JAN *"),
        (" 0\t 0 * *  *\t", "0 0 * * *"),
        ("0 0 * jan-mar mon,Tue,WED", "0 0 * 1-3 1-3"),
        ("0 0 * * 5-7", "0 0 * * 0,5,6"),
        ("0 0 * * 7L", "0 0 * * sunl"),
        ("0 0 * * 7#2", "0 0 * * SUN#2"),
        ("0 0 l * *", "0 0 L * *"),
        ("0 0 lw * *", "0 0 LW * *"),
        ("5/15 * * * *", "5-59/15 * * * *"),
        ("007 0 * * *", "7 0 * * *"),
    ],
)
def test_spellings_of_the_same_expression(text: str, same: str) -> None:
    assert cron.parse(text) == cron.parse(same)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("60 * * * *", "Minute: 60 is out of range, 0 to 59."),
        ("* 24 * * *", "Hour: 24 is out of range, 0 to 23."),
        ("* * 0 * *", "Day of month: 0 is out of range, 1 to 31."),
        ("* * 1-32 * *", "Day of month: 32 is out of range, 1 to 31."),
        ("* * * 13 *", "Month: 13 is out of range, 1 to 12."),
        ("* * * * 8", "Day of week: 8 is out of range, 0 to 7."),
        ("* * * * 8L", "Day of week: 8 is out of range, 0 to 7."),
        ("* * * foo *", "Month: 'foo' isn't a number or a name."),
        ("mon * * * *", "Minute: 'mon' isn't a number."),
        ("*/0 * * * *", "Minute: a step must be 1 or more."),
        ("1,,2 * * * *", "Minute: a value is missing before or after a comma."),
        ("1-2-3 * * * *", "Minute: '1-2-3' isn't *, a value or a range, with or without a step, as in 5, 1-5 or */10."),
        ("0 22-6 * * *", "Hour: the range 22-6 runs backwards. Write 22-23,0-6."),
        ("0 23-0 * * *", "Hour: the range 23-0 runs backwards. Write 23,0."),
        ("0 0 * * FRI-SUN", "Day of week: the range FRI-SUN runs backwards. Write 5-7."),
        ("0 0 * * MON#6", "Day of week: 'MON#6' needs a number from 1 to 5 after #, as in MON#2."),
        ("0 0 * * #2", "Day of week: '' isn't a number or a name."),
        ("9" * 90 + " 0 * * *", f"Minute: {'9' * 90} is out of range, 0 to 59."),
        ("0 0 * *", FIVE),
        ("", FIVE),
        ("0 0 * * *\n", "Must be printable ASCII, but has the character '\\n'."),
        ("0\u00a00 * * *", "Must be printable ASCII, but has the character '\\xa0'."),
        ("0 0 * * \u017fun", "Must be printable ASCII, but has the character '\\u017f'."),
        ("\u0663 0 * * *", "Must be printable ASCII, but has the character '\\u0663'."),
    ],
)
def test_a_cron_error_names_its_field(text: str, expected: str) -> None:
    assert faults(text) == (expected,)


def test_errors_of_all_cron_fields_are_reported() -> None:
    assert [each.split(":")[0] for each in faults("61 25 32,33 13 8")] == [
        *("Minute", "Hour", "Day of month", "Day of month", "Month", "Day of week")
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0 0 12 * * ?", f"{MORE} If the first field is for seconds, write 0 12 * * *."),
        ("0 0 12 ? * MON-FRI *", f"{MORE} If the first field is for seconds, write 0 12 * * MON-FRI."),
        ("0 12 * * ? *", f"{MORE} If the last field is for years, write 0 12 * * *."),
        ("0 0 12 ? * 2", MORE),  # Monday in Quartz, Tuesday in Spring
        ("*/10 * * * * *", MORE),
        ("0 0 12 * * * 2027", MORE),
        ("0 0 * * * * * *", FIVE),
        ("0 0 ? * 1", "The character ? isn't supported. Write 0 0 * * 1."),
        ("0 0 30 2 ?", "The character ? isn't supported."),
        (
            "0 0 1,15W * *",
            "Day of month: the weekday nearest to a day, as in 15W, isn't supported. LW is the last weekday.",
        ),
        (
            "0 0 L-3 * *",
            "Day of month: a number of days before the last, as in L-3, isn't supported. L is the last day.",
        ),
        ("0 0 * * L", "Day of week: L needs a weekday, as in 5L for the last Friday of the month."),
        ("@reboot", "The synonym @reboot isn't supported: no machine belongs to a job."),
        ("@every 5m", "The synonym @every isn't supported. Write */5 * * * *."),
        ("@every 2h", "The synonym @every isn't supported. Write 0 */2 * * *."),
        ("@every 7m", "The synonym @every isn't supported."),
        ("@every 0m", "The synonym @every isn't supported."),
        (
            "@noon",
            "The supported synonyms are @hourly, @daily, @midnight, @weekly, @monthly, @yearly and @annually.",
        ),
        ("CRON_TZ=UTC 0 0 * * *", "The time zone has a field of its own, timezone."),
    ],
)
def test_other_dialects_are_refused_with_an_equivalent(text: str, expected: str) -> None:
    assert faults(text) == (expected,)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0 0 30 2 *", "Day of month: 30 doesn't occur in the month 2, so the schedule never fires."),
        ("0 0 31 4,6,9,11 *", "Day of month: 31 doesn't occur in the month 4,6,9,11, so the schedule never fires."),
        (
            "0 0 */31 * MON#5",
            (
                "Day of month, day of week: no day matches both */31 and MON#5, so the schedule never fires."
                " Both must match because one of them begins with *."
            ),
        ),
        (
            "0 0 LW 2 */7",
            (
                "Day of month, day of week: no day in the month 2 matches both LW and */7, so the schedule never fires."
                " Both must match because one of them begins with *."
            ),
        ),
    ],
)
def test_an_expression_that_never_fires_is_refused(text: str, expected: str) -> None:
    assert faults(text) == (expected,)


@pytest.mark.parametrize("text", ["0 0 29 2 *", "0 0 29 2 */7", "0 0 * 2 MON#5", "0 0 30 2 MON", "0 0 */30 * 1#5"])
def test_an_expression_that_fires_rarely_is_accepted(text: str) -> None:
    assert cron.parse(text).live_months


@pytest.mark.parametrize(
    ("text", "expected"), [("\t0  0 * * * ", "0 0 * * *"), ("0 0 * * *\n", "0 0 * * *\n"), ("  ", "")]
)
def test_only_blanks_and_tabs_are_normalized(text: str, expected: str) -> None:
    assert cron.normalized(text) == expected
