//! Other attributes on the function and on its arguments, above and below ours.

use afresh::{cached, invalidates};

use crate::apart;

/// Documented,
#[cached(ttl = 60)]
/// on both sides.
#[must_use]
#[inline(always)]
pub(crate) async fn ordinary_below(id: u32) -> u32 {
    id
}

#[doc = "Documented."]
#[must_use = "for its value"]
#[inline]
#[cached(ttl = 60)]
pub(crate) fn ordinary_above(id: u32) -> u32 {
    id
}

#[cfg(any())]
#[cached(ttl = 60)]
fn absent(id: NoSuchType) -> NoSuchType {
    id
}

#[cached(ttl = 60)]
#[cfg(any())]
fn absent_below(id: NoSuchType) -> NoSuchType {
    id
}

#[cfg(not(any()))]
#[cached(ttl = 60)]
async fn present(id: u32, #[cfg(any())] absent: NoSuchType, #[cfg(not(any()))] and: u32) -> u32 {
    id * 10 + and
}

#[cached(ttl = 60)]
#[cfg(not(any()))]
fn present_sync(id: u32, #[cfg(any())] absent: NoSuchType, #[cfg(not(any()))] and: u32) -> u32 {
    id * 10 + and
}

/// One of two, by a condition, on each.
#[cfg(any())]
#[cached(ttl = 60)]
fn either(id: NoSuchType) -> u32 {
    2
}

#[cfg(not(any()))]
#[cached(ttl = 60)]
fn either(id: u32) -> u32 {
    id
}

#[cfg_attr(not(any()), cached(ttl = 60, key = "{id}"))]
async fn conditional(id: u32, _other: u32) -> u32 {
    id
}

#[cfg_attr(not(any()), cached(ttl = 60, key = "{id}"), inline)]
fn conditional_sync(id: u32, _other: u32) -> u32 {
    id
}

#[cfg_attr(any(), cached(ttl = 60, key = "{no_such}"))]
fn not_cached(id: u32) -> u32 {
    id
}

#[deprecated = "there is a better one"]
#[cached(ttl = 60)]
async fn deprecated_above(id: u32) -> u32 {
    id
}

#[cached(ttl = 60)]
#[deprecated(since = "1.0.0", note = "there is a better one")]
fn deprecated_below(id: u32) -> u32 {
    id
}

#[tracing::instrument]
#[cached(ttl = 60)]
async fn traced_above(id: u32) -> Result<u32, String> {
    tracing::Span::current().record("id", id);
    Ok(id)
}

#[cached(ttl = 60)]
#[tracing::instrument(skip_all, fields(id), err, ret)]
async fn traced_below(id: u32) -> Result<u32, String> {
    Ok(id)
}

#[tracing::instrument(ret)]
#[cached(ttl = 60)]
fn traced_above_sync(id: u32) -> Result<u32, String> {
    Ok(id)
}

#[cached(ttl = 60)]
#[tracing::instrument(err)]
fn traced_below_sync(id: u32) -> Result<u32, String> {
    if id == 0 {
        Err("zero")?;
    }
    Ok(id)
}

#[cached(ttl = 60)]
#[track_caller]
#[cold]
fn tracked(id: u32) -> u32 {
    id
}

/// An argument for the key alone is no unused one.
#[cached(ttl = 60)]
fn for_the_key(id: u32, also: u32) -> u32 {
    id
}

#[cached(ttl = 60)]
async fn on_arguments(
    also: u32,
    #[expect(unused_mut, reason = "it is not changed")] mut id: u32,
) -> u32 {
    id
}

#[tracing::instrument]
#[invalidates(tags = ["x:{id}"])]
fn change_above(id: u32) -> u32 {
    id
}

#[invalidates(tags = ["x:{id}"])]
#[tracing::instrument]
#[must_use]
fn change_below(id: u32) -> u32 {
    id
}

#[cached(ttl = 60, tags = ["x:{id}"])]
fn changed(id: u32) -> u32 {
    id
}

#[tokio::test]
async fn ordinary_ones() {
    apart!(ordinary_below(1).await => 1, ordinary_below(2).await => 2);
    apart!(ordinary_above(1) => 1, ordinary_above(2) => 2);
    apart!(tracked(1) => 1, tracked(2) => 2);
    apart!(for_the_key(1, 1) => 1, for_the_key(1, 2) => 1, for_the_key(2, 2) => 2);
    apart!(on_arguments(1, 2).await => 2, on_arguments(2, 2).await => 2);
}

#[tokio::test]
async fn conditions() {
    apart!(present(1, 2).await => 12, present(1, 3).await => 13);
    apart!(present_sync(1, 2) => 12, present_sync(1, 3) => 13);
    apart!(either(1) => 1, either(2) => 2);
    apart!(conditional(1, 1).await => 1, conditional(2, 1).await => 2);
    apart!(conditional_sync(1, 1) => 1, conditional_sync(2, 1) => 2);
    let came = afresh::outcome(async { not_cached(1) }).await;
    assert_eq!(came, (1, afresh::Outcome::Uncached));
}

#[tokio::test]
#[expect(deprecated, reason = "that they are is what is tried")]
async fn deprecation() {
    apart!(deprecated_above(1).await => 1, deprecated_above(2).await => 2);
    apart!(deprecated_below(1) => 1, deprecated_below(2) => 2);
}

#[tokio::test]
async fn traces() {
    apart!(traced_above(1).await => Ok(1), traced_above(2).await => Ok(2));
    apart!(traced_below(1).await => Ok(1), traced_below(2).await => Ok(2));
    apart!(traced_above_sync(1) => Ok(1), traced_above_sync(2) => Ok(2));
    apart!(traced_below_sync(1) => Ok(1), traced_below_sync(2) => Ok(2));
    assert_eq!(traced_below_sync(0), Err("zero".to_owned()));
}

#[tokio::test]
async fn mutations() {
    crate::isolated(async {
        let came = async || afresh::outcome(async { changed(1) }).await.1;
        for change in [change_above, change_below] {
            assert_eq!(came().await, crate::MISS);
            assert_eq!(came().await, crate::HIT);
            assert_eq!(change(2), 2);
            assert_eq!(came().await, crate::HIT);
            assert_eq!(change(1), 1);
        }
    })
    .await;
}
