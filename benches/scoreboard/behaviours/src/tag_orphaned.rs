//! The server loses what a tag's invalidation goes by: by eviction, or because its ttl is over.

use afresh_test_support::Server;

use crate::board::Judged;
use crate::client::{Tags, answer, unwound};
use crate::source;

/// When the server loses a key.
#[derive(Clone, Copy, Debug)]
enum Lost {
    /// Between the entry's storing and its invalidation.
    Before,
    /// After the invalidation, before the next call.
    After,
}

/// Each key that is not an entry is lost in turn, alone. Both the client that invalidated and one
/// that comes after the loss must have the new value.
pub async fn tag_orphaned<C: Tags>(
    connect: impl AsyncFn(String) -> Result<C, String>,
    is_entry: impl Fn(&str) -> bool,
) -> Judged {
    let server = Server::start();
    let url = server.plain_url().trim_end_matches('/').to_owned();
    let connect = async || {
        unwound(connect(url.clone()))
            .await
            .and_then(|client| client)
    };
    let keys = || {
        let keys = server.cli(&["KEYS", "*"]);
        let mut keys: Vec<_> = keys.lines().map(str::to_owned).collect();
        keys.retain(|key| key != "(empty)" && !key.is_empty() && !is_entry(key));
        keys.sort();
        keys
    };
    let mut lost = Vec::new();
    for when in [Lost::Before, Lost::After] {
        for at in 0.. {
            match round(&server, &connect, &keys, when, at).await {
                Ok(Some(key)) => lost.push(key),
                Ok(None) => break,
                Err(figure) => return Judged::wrong(figure),
            }
        }
    }
    Judged::new(
        !lost.is_empty(),
        format!("no old value after {} losses", lost.len()),
    )
}

/// One entry, one loss: that of the key at this place among those that are there. None, where
/// there are not so many.
async fn round<C: Tags>(
    server: &Server,
    connect: &impl AsyncFn() -> Result<C, String>,
    keys: &impl Fn() -> Vec<String>,
    when: Lost,
    at: usize,
) -> Result<Option<String>, String> {
    server.cli(&["FLUSHALL"]);
    let client = connect().await?;
    // An invalidation of another day: what a tag's bookkeeping is made of is there.
    client.invalidate_tag().await?;
    let id = source::fresh_id();
    source::write(1);
    let lose = || {
        let key = keys().into_iter().nth(at);
        key.inspect(|key| {
            server.cli(&["DEL", key]);
        })
    };
    expect(&client, id, 1).await?;
    let mut key = None;
    if matches!(when, Lost::Before) {
        key = lose();
    }
    source::write(2);
    client.invalidate_tag().await?;
    if matches!(when, Lost::After) {
        key = lose();
    }
    let Some(key) = key else { return Ok(None) };
    let later = connect().await?;
    for client in [&later, &client] {
        let figure = || format!("{} lost {when:?} it: ", short(&key)).to_lowercase();
        expect(client, id, 2)
            .await
            .map_err(|error| figure() + &error)?;
    }
    Ok(Some(key))
}

async fn expect(client: &impl Tags, id: i64, value: i64) -> Result<(), String> {
    match answer(client, id).await? {
        answer if answer == value => Ok(()),
        answer => Err(format!("{answer} where {value} was written")),
    }
}

/// A key as tables have room for it.
fn short(key: &str) -> String {
    key.chars().filter(|sign| !sign.is_control()).collect()
}
