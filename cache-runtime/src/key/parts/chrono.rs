//! Dates and times of the `chrono` crate as key parts.

use std::fmt::Display;

use chrono::{
    DateTime, Datelike as _, Month, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone,
    Timelike as _, Weekday,
};

use super::calendar::{Date, Time};
use super::{KeyPart, tag};
use crate::key::KeyWriter;

/// The moment and the name of the zone: what shows the time in one zone must not find what was
/// stored for another, though `==` takes them for the same. `Local` has no name, and would be
/// another zone in the next process: give it as `to_utc()` or `fixed_offset()`.
impl<Tz: TimeZone + Display> KeyPart for DateTime<Tz> {
    fn encode(&self, key: &mut KeyWriter) {
        key.zoned(self.timestamp(), self.timestamp_subsec_nanos());
        self.timezone().to_string().encode(key);
    }
}

impl KeyPart for NaiveDate {
    fn encode(&self, key: &mut KeyWriter) {
        key.date(date(*self));
    }
}

impl KeyPart for NaiveTime {
    fn encode(&self, key: &mut KeyWriter) {
        key.time(time(*self));
    }
}

impl KeyPart for NaiveDateTime {
    fn encode(&self, key: &mut KeyWriter) {
        key.date_time(date(self.date()), time(self.time()));
    }
}

impl KeyPart for TimeDelta {
    fn encode(&self, key: &mut KeyWriter) {
        key.signed_duration(self.num_seconds(), self.subsec_nanos());
    }
}

impl KeyPart for Weekday {
    fn encode(&self, key: &mut KeyWriter) {
        key.weekday(self.number_from_monday() as u8);
    }
}

impl KeyPart for Month {
    fn encode(&self, key: &mut KeyWriter) {
        key.tag(tag::MONTH);
        key.bytes(&[self.number_from_month() as u8]);
    }
}

fn date(date: NaiveDate) -> Date {
    Date {
        year: date.year(),
        month: date.month() as u8,
        day: date.day() as u8,
    }
}

fn time(time: NaiveTime) -> Time {
    Time {
        seconds: time.num_seconds_from_midnight(),
        nanos: time.nanosecond(),
    }
}
