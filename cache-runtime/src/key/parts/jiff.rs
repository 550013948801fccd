//! Dates and times of the `jiff` crate as key parts.

use jiff::civil::{self, Weekday};
use jiff::{SignedDuration, Timestamp, Zoned};

use super::KeyPart;
use super::calendar::{Date, Time};
use crate::key::KeyWriter;

impl KeyPart for Timestamp {
    fn encode(&self, key: &mut KeyWriter) {
        let (seconds, nanos) = since_1970(*self);
        key.moment(seconds, nanos);
    }
}

/// The moment and the name of the zone: what shows the time in one zone must not find what was
/// stored for another, though `==` takes them for the same. A zone without a name is its offset at
/// that moment.
impl KeyPart for Zoned {
    fn encode(&self, key: &mut KeyWriter) {
        let (seconds, nanos) = since_1970(self.timestamp());
        key.zoned(seconds, nanos);
        match self.time_zone().iana_name() {
            Some(name) => name.encode(key),
            None => self.offset().seconds().encode(key),
        }
    }
}

impl KeyPart for civil::Date {
    fn encode(&self, key: &mut KeyWriter) {
        key.date(date(*self));
    }
}

impl KeyPart for civil::Time {
    fn encode(&self, key: &mut KeyWriter) {
        key.time(time(*self));
    }
}

impl KeyPart for civil::DateTime {
    fn encode(&self, key: &mut KeyWriter) {
        key.date_time(date(self.date()), time(self.time()));
    }
}

impl KeyPart for SignedDuration {
    fn encode(&self, key: &mut KeyWriter) {
        key.signed_duration(self.as_secs(), self.subsec_nanos());
    }
}

impl KeyPart for Weekday {
    fn encode(&self, key: &mut KeyWriter) {
        key.weekday(self.to_monday_one_offset().unsigned_abs());
    }
}

fn since_1970(moment: Timestamp) -> (i64, u32) {
    const SECOND: i128 = 1_000_000_000;
    let nanos = moment.as_nanosecond();
    (
        nanos.div_euclid(SECOND) as i64,
        nanos.rem_euclid(SECOND) as u32,
    )
}

fn date(date: civil::Date) -> Date {
    Date {
        year: date.year().into(),
        month: date.month().unsigned_abs(),
        day: date.day().unsigned_abs(),
    }
}

fn time(time: civil::Time) -> Time {
    let [hour, minute, second] =
        [time.hour(), time.minute(), time.second()].map(|it| u32::from(it.unsigned_abs()));
    Time {
        seconds: (hour * 60 + minute) * 60 + second,
        nanos: time.subsec_nanosecond().unsigned_abs(),
    }
}
