//! Processes whose clocks differ. The program runs itself, each time for one call or one
//! invalidation, with a clock that `libfaketime` puts forward; the server's is the machine's.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use afresh_measure::{number, option};

use crate::board::{Judged, Redis};
use crate::client::{Invalidates, answer, unwound};
use crate::list::Behaviour;
use crate::source;

/// Debian's and Fedora's places of it.
const LIBRARIES: [&str; 2] = [
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
    "/usr/lib64/faketime/libfaketime.so.1",
];

/// Whose clock.
#[derive(Clone, Copy)]
enum Clock {
    Right,
    Ahead,
}

/// Both ways round: the entry is stored by the clock that is ahead, and it is invalidated by it.
pub async fn clock_skew<C: Invalidates>(
    redis: Redis,
    connect: impl AsyncFn(String) -> Result<C, String>,
) -> Judged {
    if let Some(act) = option("--act") {
        let said = act_out(&act, &redis, connect).await;
        println!("{}", said.unwrap_or_else(|error| error));
        // What the library does after its answer: a lease to give back, say.
        tokio::time::sleep(Duration::from_millis(500)).await;
        std::process::exit(0);
    }
    let mut figures = Vec::new();
    for (storing, invalidating) in [(Clock::Ahead, Clock::Right), (Clock::Right, Clock::Ahead)] {
        let id = source::fresh_id();
        let act = |clock, act, value| child(&redis.url(), clock, act, id, value);
        let stored = act(storing, "read", 1);
        if stored != "1" {
            return Judged::wrong(format!("no value at first: {stored}"));
        }
        let told = act(invalidating, "invalidate", 2);
        if told != "done" {
            return Judged::wrong(told);
        }
        let after = [act(Clock::Right, "read", 2), act(Clock::Ahead, "read", 2)];
        let who = if matches!(storing, Clock::Ahead) {
            "stored 5 min ahead"
        } else {
            "invalidated 5 min ahead"
        };
        if after != ["2", "2"] {
            return Judged::wrong(format!("{who}: {} after 2 was written", after[0]));
        }
        // What was stored since is not judged: it may only cost misses.
        let hit = act(Clock::Right, "read", 3) == "2";
        figures.push(format!(
            "{who}: reached, then {}",
            if hit { "hits" } else { "misses" }
        ));
    }
    Judged::new(true, figures.join("; "))
}

/// What a process of its own says.
fn child(url: &str, clock: Clock, act: &str, id: i64, value: i64) -> String {
    let mut command = Command::new(std::env::current_exe().expect("this program's path"));
    command.args(["--behaviour", &Behaviour::ClockSkew.word(), "--redis", url]);
    command.args([
        "--act",
        act,
        "--id",
        &id.to_string(),
        "--value",
        &value.to_string(),
    ]);
    command.stderr(Stdio::null());
    if matches!(clock, Clock::Ahead) {
        let library = LIBRARIES.into_iter().find(|path| Path::new(path).exists());
        let library = library.expect("libfaketime, of the package `faketime`");
        // Only the time of day: what processes measure by themselves goes on as it does.
        command.env("LD_PRELOAD", library);
        command
            .env("FAKETIME", "+5m")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    }
    let output = command.output().expect("this program runs");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

async fn act_out<C: Invalidates>(
    act: &str,
    redis: &Redis,
    connect: impl AsyncFn(String) -> Result<C, String>,
) -> Result<String, String> {
    source::write(number("--value", 0).cast_signed() as i64);
    let id = number("--id", 0).cast_signed() as i64;
    let client = connect(redis.url()).await?;
    if act == "read" {
        return answer(&client, id).await.map(|value| value.to_string());
    }
    unwound(client.invalidate(id)).await.and_then(|done| done)?;
    Ok("done".to_owned())
}
