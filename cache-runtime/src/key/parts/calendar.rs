//! Dates and times as the crates for them share them in keys: what `chrono` and `jiff` both have is
//! encoded alike.

use super::tag;
use crate::key::KeyWriter;

/// A date of the Gregorian calendar.
#[derive(Clone, Copy)]
pub(super) struct Date {
    pub(super) year: i32,
    pub(super) month: u8,
    pub(super) day: u8,
}

/// A time of day. In a leap second, the nanoseconds go on beyond a second.
#[derive(Clone, Copy)]
pub(super) struct Time {
    pub(super) seconds: u32,
    pub(super) nanos: u32,
}

impl KeyWriter {
    pub(super) fn date(&mut self, date: Date) {
        self.tag(tag::DATE);
        self.date_bytes(date);
    }

    pub(super) fn time(&mut self, time: Time) {
        self.tag(tag::TIME);
        self.time_bytes(time);
    }

    pub(super) fn date_time(&mut self, date: Date, time: Time) {
        self.tag(tag::DATE_TIME);
        self.date_bytes(date);
        self.time_bytes(time);
    }

    /// Seconds since 1970, and nanoseconds after that second.
    pub(super) fn moment(&mut self, seconds: i64, nanos: u32) {
        self.tag(tag::MOMENT);
        self.moment_bytes(seconds, nanos);
    }

    /// The same in a zone, which has to follow as a part.
    pub(super) fn zoned(&mut self, seconds: i64, nanos: u32) {
        self.tag(tag::ZONED);
        self.moment_bytes(seconds, nanos);
    }

    /// Both of one sign.
    pub(super) fn signed_duration(&mut self, seconds: i64, nanos: i32) {
        self.tag(tag::SIGNED_DURATION);
        self.bytes(&seconds.to_le_bytes());
        self.bytes(&nanos.to_le_bytes());
    }

    /// Monday is 1.
    pub(super) fn weekday(&mut self, number: u8) {
        self.tag(tag::WEEKDAY);
        self.bytes(&[number]);
    }

    fn moment_bytes(&mut self, seconds: i64, nanos: u32) {
        self.bytes(&seconds.to_le_bytes());
        self.bytes(&nanos.to_le_bytes());
    }

    fn date_bytes(&mut self, date: Date) {
        self.bytes(&date.year.to_le_bytes());
        self.bytes(&[date.month, date.day]);
    }

    fn time_bytes(&mut self, time: Time) {
        self.bytes(&time.seconds.to_le_bytes());
        self.bytes(&time.nanos.to_le_bytes());
    }
}
