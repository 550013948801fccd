//! Frozen bytes of types of other crates.

use super::golden::{frozen, readable_parts};

#[cfg(feature = "uuid")]
#[test]
fn uuid() {
    let id: uuid::Uuid = "67e55044-10b1-426f-9247-bb680e5fe0c8".parse().unwrap();
    frozen(&id, "61 67e5504410b1426f9247bb680e5fe0c8");
    assert!(readable_parts(&(id, 1_u8)).starts_with("67e55044-10b1-426f-9247-bb680e5fe0c8:1~"));
}

#[cfg(feature = "chrono")]
#[test]
fn chrono() {
    use ::chrono::{
        DateTime, FixedOffset, Month, NaiveDate, NaiveTime, TimeDelta, TimeZone as _, Utc, Weekday,
    };

    use super::encoded;

    let date = NaiveDate::from_ymd_opt(2024, 2, 29).unwrap();
    frozen(&date, "64 e8070000 02 1d");
    let time = NaiveTime::from_hms_nano_opt(1, 0, 1, 2).unwrap();
    frozen(&time, "65 110e0000 02000000");
    frozen(&date.and_time(time), "66 e8070000 02 1d 110e0000 02000000");
    let leap = NaiveTime::from_hms_nano_opt(23, 59, 59, 1_500_000_000).unwrap();
    frozen(&leap, "65 7f510100 002f6859");
    frozen(
        &TimeDelta::milliseconds(-1500),
        "67 ffffffffffffffff 009b32e2",
    );
    frozen(&Weekday::Mon, "68 01");
    frozen(&Month::December, "69 0c");

    let utc: DateTime<Utc> = Utc.timestamp_opt(-1, 5).unwrap();
    frozen(&utc, "63 ffffffffffffffff 05000000 3003555443");
    let paris = utc.with_timezone(&FixedOffset::east_opt(3600).unwrap());
    frozen(&paris, "63 ffffffffffffffff 05000000 30062b30313a3030");
    // One moment in two zones is equal, but reads differently.
    assert_eq!(utc, paris);
    assert_ne!(encoded(&utc), encoded(&paris));
    let all = (utc, date, time, Weekday::Mon, TimeDelta::zero(), 1_u8);
    assert!(readable_parts(&all).starts_with("UTC:1~"));
}

#[cfg(feature = "jiff")]
#[test]
fn jiff() {
    use ::jiff::civil::{Weekday, date, time};
    use ::jiff::tz::{Offset, TimeZone};
    use ::jiff::{SignedDuration, Timestamp};

    use super::encoded;

    frozen(&date(2024, 2, 29), "64 e8070000 02 1d");
    frozen(&time(1, 0, 1, 2), "65 110e0000 02000000");
    let both = date(2024, 2, 29).at(1, 0, 1, 2);
    frozen(&both, "66 e8070000 02 1d 110e0000 02000000");
    frozen(
        &SignedDuration::from_millis(-1500),
        "67 ffffffffffffffff 009b32e2",
    );
    frozen(&Weekday::Monday, "68 01");

    let moment = Timestamp::from_nanosecond(-999_999_995).unwrap();
    frozen(&moment, "62 ffffffffffffffff 05000000");
    let utc = moment.to_zoned(TimeZone::UTC);
    frozen(&utc, "63 ffffffffffffffff 05000000 3003555443");
    let fixed = moment.to_zoned(TimeZone::fixed(Offset::constant(1)));
    frozen(&fixed, "63 ffffffffffffffff 05000000 1a100e0000");
    // One moment in two zones is equal, but reads differently.
    assert_eq!(utc, fixed);
    assert_ne!(encoded(&utc), encoded(&fixed));
    assert!(readable_parts(&(moment, utc, 1_u8)).starts_with("UTC:1~"));
}

#[cfg(all(feature = "chrono", feature = "jiff"))]
#[test]
fn what_both_crates_have_is_alike() {
    use super::encoded;

    assert_eq!(
        encoded(&::chrono::NaiveDate::from_ymd_opt(-5, 1, 2).unwrap()),
        encoded(&::jiff::civil::date(-5, 1, 2)),
    );
    for seconds in [-1, 0, 1_700_000_000] {
        let chrono = ::chrono::DateTime::from_timestamp(seconds, 7).unwrap();
        let jiff = ::jiff::Timestamp::from_second(seconds).unwrap()
            + ::jiff::SignedDuration::from_nanos(7);
        assert_eq!(
            encoded(&chrono),
            encoded(&jiff.to_zoned(::jiff::tz::TimeZone::UTC))
        );
    }
}
