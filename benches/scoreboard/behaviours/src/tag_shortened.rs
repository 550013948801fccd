//! An entry that lives long and one that lives short, with the same tag.

use std::time::Duration;

use crate::board::Judged;
use crate::client::{Tags, answer, unwound};
use crate::source;

/// The ttl of the short one, and some more for what is removed late.
const OVER: Duration = Duration::from_millis(2500);

/// The long one is stored first, then the short one, whose ttl ends before the invalidation. A
/// client of its own reads: it has nothing in a local tier.
pub async fn tag_shortened(client: &impl Tags, later: &impl Tags) -> Judged {
    let (long, short) = (source::fresh_id(), source::fresh_id());
    let stored = [
        answer(client, long).await,
        unwound(client.read_short(short))
            .await
            .and_then(|outcome| outcome),
    ];
    if let Some(error) = stored.into_iter().find_map(Result::err) {
        return Judged::wrong(error);
    }
    tokio::time::sleep(OVER).await;
    source::write(2);
    if let Err(error) = unwound(client.invalidate_tag()).await.and_then(|done| done) {
        return Judged::wrong(error);
    }
    match (answer(later, long).await, answer(client, long).await) {
        (Ok(2), Ok(2)) => Judged::new(true, "the long one is reached"),
        (Ok(later), Ok(own)) => Judged::wrong(format!("still {own}, {later} elsewhere")),
        (Err(error), _) | (_, Err(error)) => Judged::wrong(error),
    }
}
