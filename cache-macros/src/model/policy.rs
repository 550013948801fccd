//! The option `policy`: an expression, and the arguments that a compute under it may have to own.
//! What the expression says is for its type to tell.

use syn::Expr;
use syn::spanned::Spanned as _;

use crate::diag::Diag;
use crate::func::Argument;

/// The `policy` option.
pub(crate) struct Policy {
    pub(crate) value: Expr,
    /// What the function is given, in order; the receiver first.
    pub(crate) arguments: Vec<Argument>,
}

impl Policy {
    /// How it is written.
    pub(crate) const HOW: &str =
        "policy = const { afresh::Policy::new().stale_for(Duration::from_secs(60)) }";

    /// Reads the option.
    pub(crate) fn new(value: Expr, arguments: Vec<Argument>, diag: &mut Diag) -> Option<Self> {
        if let Expr::Lit(_) | Expr::Closure(_) | Expr::Array(_) | Expr::Tuple(_) = &value {
            let message = format!(
                "`policy` is a `Policy`: write `{}`, or the name of a `const` that holds one",
                Self::HOW
            );
            diag.error(value.span(), message);
            return None;
        }
        Some(Self { value, arguments })
    }
}
