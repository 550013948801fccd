//! The server is stopped, is not there at the start, or is restarted.

use std::time::{Duration, Instant};

use afresh_test_support::{Server, Stop};

use crate::board::{Judged, many};
use crate::client::{Client, answer, unwound};
use crate::source;

/// What a call may take while the server is away, with a body that takes nothing.
const CALL: Duration = Duration::from_secs(5);
/// How long is waited for one that takes longer.
const PATIENCE: Duration = Duration::from_secs(10);
/// What a library may take to use the server again.
const RECOVERY: Duration = Duration::from_secs(15);

/// Stopped while it was in use. The entry that is there, and some that are not.
pub async fn redis_down<C: Client>(connect: impl AsyncFn(String) -> Result<C, String>) -> Judged {
    let server = Server::start();
    let [client, _] = match connected(&connect, &server).await {
        Ok(clients) => clients,
        Err(judged) => return judged,
    };
    let id = source::fresh_id();
    if let Err(error) = answer(&client, id).await {
        return Judged::wrong(format!("with the server: {error}"));
    }
    server.stop(Stop::Kill);
    without(&client, id).await
}

/// Not there at the start, then started.
pub async fn redis_absent<C: Client>(connect: impl AsyncFn(String) -> Result<C, String>) -> Judged {
    let server = Server::start();
    server.stop(Stop::Kill);
    let clients = match connected(&connect, &server).await {
        Ok(clients) => clients,
        Err(judged) => return judged,
    };
    let meanwhile = without(&clients[0], source::fresh_id()).await;
    server.restart();
    let after = recovered(&clients).await;
    Judged::new(
        meanwhile.right && after.right,
        format!("{}; {}", meanwhile.figure, after.figure),
    )
}

/// Restarted while it was in use, its data gone.
pub async fn redis_restarted<C: Client>(
    connect: impl AsyncFn(String) -> Result<C, String>,
) -> Judged {
    let server = Server::start();
    let clients = match connected(&connect, &server).await {
        Ok(clients) => clients,
        Err(judged) => return judged,
    };
    let before = recovered(&clients).await;
    if !before.right {
        return Judged::wrong(format!("before the restart: {}", before.figure));
    }
    server.restart();
    recovered(&clients).await
}

/// Two clients of one server.
async fn connected<C: Client>(
    connect: &impl AsyncFn(String) -> Result<C, String>,
    server: &Server,
) -> Result<[C; 2], Judged> {
    let url = server.plain_url();
    let one = async || {
        let client = unwound(connect(url.trim_end_matches('/').to_owned())).await;
        let client = client.and_then(|client| client);
        client.map_err(|error| Judged::wrong(format!("no client: {error}")))
    };
    Ok([one().await?, one().await?])
}

/// Calls of this id and of new ones, with no server.
async fn without(client: &impl Client, id: i64) -> Judged {
    let mut longest = Duration::ZERO;
    for id in [
        id,
        source::fresh_id(),
        source::fresh_id(),
        source::fresh_id(),
    ] {
        let began = Instant::now();
        match tokio::time::timeout(PATIENCE, answer(client, id)).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => {
                return Judged::wrong(format!("a call fails: {}", short(&error)));
            }
            Err(_) => return Judged::wrong(format!("a call has nothing after {PATIENCE:?}")),
        }
        longest = longest.max(began.elapsed());
        if longest >= CALL {
            return Judged::wrong(format!("a call takes {:.1} s", longest.as_secs_f64()));
        }
    }
    let longest = longest.as_millis();
    Judged::new(true, format!("calls answered, the longest in {longest} ms"))
}

/// How long it takes until what one client has stored is a hit for the other, for three ids in a
/// row: one alone may be luck.
async fn recovered([writer, reader]: &[impl Client; 2]) -> Judged {
    let began = Instant::now();
    let (mut failed, mut hits, mut last) = (0, 0, String::new());
    while began.elapsed() < RECOVERY {
        let id = source::fresh_id();
        let outcomes = [answer(writer, id).await, answer(reader, id).await];
        for error in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
            failed += 1;
            last = format!(", the last: {}", short(error));
        }
        let hit = outcomes.iter().all(Result::is_ok) && source::runs(id) == 1;
        hits = if hit { hits + 1 } else { 0 };
        if hits == 3 {
            let after = began.elapsed().as_secs_f64();
            return Judged::new(
                true,
                format!("hits after {after:.1} s, {} failed", many(failed, "call")),
            );
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Judged::wrong(format!(
        "no hits for {RECOVERY:?}, {failed} calls failed{last}"
    ))
}

/// As much of an error as a table has room for.
fn short(error: &str) -> String {
    error.chars().take(80).collect()
}
