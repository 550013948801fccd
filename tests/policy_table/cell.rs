//! What a cell of the table is: a function, what its policy has, what its other options are. And the
//! macro that makes a function of each row and column.

use futures_util::future::LocalBoxFuture;

use crate::shop::{Answer, Shop};

/// What a policy has.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a setting by itself")]
pub(crate) struct Rules {
    pub(crate) stale_for: bool,
    pub(crate) stale_if_error: bool,
    pub(crate) refresh_ahead: bool,
    pub(crate) soft_timeout: bool,
    pub(crate) hard_timeout: bool,
    pub(crate) jitter: bool,
    pub(crate) backoff: bool,
}

impl Rules {
    /// Whether computes may go on without their callers.
    pub(crate) fn background(self) -> bool {
        self.stale_for || self.refresh_ahead || self.soft_timeout
    }
}

/// What of the other options a test has to know.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option by itself")]
pub(crate) struct Options {
    /// The arguments name the tag `shop:{number}`.
    pub(crate) tags: bool,
    /// The value names the tag `result:{number}`.
    pub(crate) result_tags: bool,
    /// The namespace is `table`.
    pub(crate) namespace: bool,
    pub(crate) singleflight: bool,
    pub(crate) store_if: bool,
    /// The ttl follows from the value.
    pub(crate) ttl_of_value: bool,
    pub(crate) local: bool,
    /// `inherit = false`.
    pub(crate) apart: bool,
}

/// A call of a cell's function.
#[derive(Clone, Copy)]
pub(crate) enum Call {
    Async(for<'a> fn(&'a Shop, u32) -> LocalBoxFuture<'a, Answer>),
    Sync(fn(&Shop, u32) -> Answer),
}

#[derive(Clone)]
pub(crate) struct Cell {
    pub(crate) row: &'static str,
    pub(crate) column: &'static str,
    pub(crate) rules: Rules,
    pub(crate) options: Options,
    pub(crate) call: Call,
}

/// Makes a module of each row, of which another macro makes the columns.
macro_rules! rows {
    ($columns:ident: $($row:ident $(= $($rule:ident)+)?;)+) => {
        $(mod $row {
            use super::$columns;

            $columns! {
                $row
                [$($($rule: true,)+)?]
                $(policy = crate::rows::policy!($($rule)+))?
            }
        })+

        pub(crate) fn cells() -> Vec<crate::cell::Cell> {
            [$($row::cells(),)+].concat()
        }
    };
}
pub(crate) use rows;

/// The cells of a row: of each column its function, how that is called, and what a test has to know
/// of its options.
macro_rules! cells {
    ($row:ident [$($rules:tt)*] $kind:ident: $($column:ident($shop:ident, $id:ident) => $call:expr, [$($option:ident)*];)+) => {
        pub(crate) fn cells() -> Vec<crate::cell::Cell> {
            let rules = crate::cell::Rules { $($rules)* ..Default::default() };
            vec![$(crate::cell::Cell {
                row: stringify!($row),
                column: stringify!($column),
                rules,
                options: crate::cell::Options { $($option: true,)* ..Default::default() },
                call: crate::cell::Call::$kind(|$shop, $id| $call),
            }),+]
        }
    };
}
pub(crate) use cells;
