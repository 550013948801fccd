//! Each library as its users would set it up for the same function on a server, its values kept
//! there only. What is measured of it is not here.

pub(crate) mod amalgam;
pub(crate) mod cached;
pub(crate) mod cachekit;
pub(crate) mod hitbox;
pub(crate) mod ours;
pub(crate) mod python;
pub(crate) mod raw;

/// One way of getting a book.
pub(crate) trait Shelf: Send + Sync + 'static {
    /// Whoever it is, with what its users would write.
    const SUBJECT: &'static str;

    /// Gets the book with this id.
    fn book(&self, id: i64) -> impl Future<Output = ()> + Send;
}
