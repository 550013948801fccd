//! Every form of a ttl.

use afresh::cached;

use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);

#[cached(ttl = 60)]
async fn seconds() {}

#[cached(ttl = "1d12h30m15s250ms")]
async fn text() {}

#[cached(ttl = HOUR / 2)]
async fn expression() {}

#[cached(ttl = Duration::from_secs(u64::from(minutes) * 60))]
async fn of_an_argument(minutes: u32) {
    let _ = minutes;
}

fn main() {
    let _ = (seconds(), text(), expression(), of_an_argument(1));
}
