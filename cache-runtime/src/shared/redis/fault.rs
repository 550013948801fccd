//! What the server's errors mean: whether a connection is worth keeping, whether waiting helps, and
//! what our own error says of them.

use redis::{RedisError, ServerErrorKind};

use crate::error::{Error, ErrorKind};

/// Whether an error means that this connection leads to no server that can be worked with. In a
/// cluster, to none that has the log; that an entry is elsewhere says nothing about a node.
pub(super) fn breaks(error: &RedisError, has_the_log: bool) -> bool {
    use redis::ErrorKind::Server;
    error.is_unrecoverable_error()
        || error.is_io_error()
        || matches!(
            error.kind(),
            Server(
                ServerErrorKind::ReadOnly
                    | ServerErrorKind::BusyLoading
                    | ServerErrorKind::MasterDown
                    | ServerErrorKind::ClusterDown
                    | ServerErrorKind::NoScript
            )
        )
        || (has_the_log
            && matches!(
                error.kind(),
                Server(ServerErrorKind::Moved | ServerErrorKind::Ask)
            ))
}

/// Whether an error stays until someone changes the set-up.
pub(super) fn is_lasting(error: &RedisError) -> bool {
    use redis::ErrorKind as Kind;
    matches!(
        error.kind(),
        Kind::AuthenticationFailed
            | Kind::InvalidClientConfig
            | Kind::RESP3NotSupported
            | Kind::Server(ServerErrorKind::NoPerm | ServerErrorKind::CrossSlot)
    ) || matches!(
        error.code(),
        Some("NOAUTH" | "WRONGPASS" | "WRONGTYPE" | "NOREPLID")
    ) || error.detail().is_some_and(lacks_a_right)
}

/// Whether a script was refused something: that has no code of its own.
fn lacks_a_right(detail: &str) -> bool {
    detail.starts_with("The user executing the script can't")
        || detail.starts_with("ACL failure in script")
}

/// An error of the server's or the connection's, in our words first.
pub(super) fn store_error(error: &RedisError) -> Error {
    if is_lasting(error) {
        Error::caused(
            ErrorKind::Config,
            "the shared store refuses this set-up",
            error.to_string(),
        )
    } else {
        Error::caused(
            ErrorKind::Store,
            "the shared store answered with an error",
            error.to_string(),
        )
    }
}

/// Where a node of a cluster says that a key is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Redirect {
    /// For good.
    Moved(String),
    /// For this once: its slot is on its way.
    Ask(String),
}

impl Redirect {
    pub(super) fn of(error: &RedisError) -> Option<Self> {
        let (node, _) = error.redirect_node()?;
        let is_moved = error.kind() == redis::ErrorKind::Server(ServerErrorKind::Moved);
        Some(if is_moved {
            Self::Moved(node.to_owned())
        } else {
            Self::Ask(node.to_owned())
        })
    }
}
