//! The shape of a type as its `Deserialize` shows it, as a number: names, order and types of
//! fields and variants. A type that gains, loses, renames or reorders one gets another number, so
//! that bytes stored before are not read as something else. The tracing itself is in `trace`.

mod trace;

use std::any::TypeId;
use std::collections::HashMap;
use std::sync::{LazyLock, PoisonError, RwLock};

use serde::de::DeserializeOwned;
use xxhash_rust::xxh3::xxh3_64;

/// What is known about a type's shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Stable across processes, machines and builds, if `traced`; otherwise also across compilers
    /// that spell the type's name alike.
    pub(crate) fingerprint: u64,
    /// Whether all of the type could be seen.
    pub(crate) traced: bool,
}

/// The fingerprint of a type, computed once.
pub(crate) fn of<T: DeserializeOwned>() -> u64 {
    shape::<T>().fingerprint
}

/// The shape of a type, computed once. A type that cannot be traced is reported then.
pub(crate) fn shape<T: DeserializeOwned>() -> Shape {
    // Read once per fill, written once per type: a plain lock is enough.
    static KNOWN: LazyLock<RwLock<HashMap<TypeId, Shape>>> = LazyLock::new(RwLock::default);

    let id = typeid::of::<T>();
    if let Some(shape) = KNOWN
        .read()
        .unwrap_or_else(PoisonError::into_inner)
        .get(&id)
    {
        return *shape;
    }
    // Not under the lock: it runs the user's `Deserialize`.
    let shape = describe(trace::run::<T>(), std::any::type_name::<T>());
    KNOWN
        .write()
        .unwrap_or_else(PoisonError::into_inner)
        .insert(id, shape);
    shape
}

fn describe(traced: trace::Traced, name: &'static str) -> Shape {
    let trace::Traced { mut text, failure } = traced;
    if let Some(failure) = &failure {
        text.push_str("\n!");
        text.push_str(name);
        tracing::warn!(
            r#type = name,
            reason = %failure,
            "the shape of this type can be seen in part only: bump `version` when it changes"
        );
    }
    Shape {
        fingerprint: xxh3_64(text.as_bytes()),
        traced: failure.is_none(),
    }
}

/// The canonical text of a type's shape, for tests and for finding out why two differ.
#[cfg(test)]
fn text<T: DeserializeOwned>() -> String {
    trace::run::<T>().text
}

#[cfg(test)]
mod tests;
