//! What is fixed at compile time about an annotated function, and the register of all of them.
//! Constant data only: nothing here runs, and nothing here knows a value's type.

use std::sync::LazyLock;
use std::time::Duration;

/// How a function's keys are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyForm {
    /// A template: readable text whose values are percent-encoded.
    Text,
    /// Encoded parts: every argument with its type's shape, length-prefixed.
    Parts,
}

/// The bounds of a `singleflight`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flying {
    /// How long a lease lasts without being renewed.
    pub lease: Duration,
    /// How long a call waits for another's compute before it computes alone.
    pub wait: Duration,
}

/// What is fixed about a cached function: its name and place, its options that are constants.
#[derive(Clone, Copy, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of its own, and they go together as they like"
)]
pub struct Spec {
    /// The function's identifier.
    pub name: &'static str,
    /// `file!()` of the function.
    pub file: &'static str,
    /// The line of its identifier.
    pub line: u32,
    /// A hash of the function's text: it tells two of one name apart.
    pub text: u32,
    /// The `namespace` option; `None` means the function's path.
    pub namespace: Option<&'static str>,
    /// The `version` option.
    pub version: u32,
    /// How its keys are written.
    pub key_form: KeyForm,
    /// The `singleflight` option.
    pub singleflight: Option<Flying>,
    /// The `local` option.
    pub local: bool,
    /// The `inherit` option: whether its values take over the tags of cached calls in its body.
    pub inherit: bool,
    /// Whether it is a plain `fn`, whose calls block.
    pub sync: bool,
    /// Whether it has the `policy` option: what that says is known once it plans a compute.
    pub policy: bool,
}

impl Spec {
    /// A function without options whose keys are encoded parts.
    #[must_use]
    pub const fn new(name: &'static str, file: &'static str, line: u32, text: u32) -> Self {
        Self {
            name,
            file,
            line,
            text,
            namespace: None,
            version: 0,
            key_form: KeyForm::Parts,
            singleflight: None,
            local: false,
            inherit: true,
            sync: false,
            policy: false,
        }
    }

    pub(crate) fn place(&self) -> Place {
        Place {
            file: self.file,
            line: self.line,
            name: self.name,
        }
    }

    /// Keys are text from a template.
    #[must_use]
    pub const fn template(mut self) -> Self {
        self.key_form = KeyForm::Text;
        self
    }

    /// The `namespace` option.
    #[must_use]
    pub const fn namespace(mut self, namespace: &'static str) -> Self {
        self.namespace = Some(namespace);
        self
    }

    /// The `version` option.
    #[must_use]
    pub const fn version(mut self, version: u32) -> Self {
        self.version = version;
        self
    }

    /// The `singleflight` option, both bounds in milliseconds.
    #[must_use]
    pub const fn singleflight(mut self, lease_ms: u64, wait_ms: u64) -> Self {
        self.singleflight = Some(Flying {
            lease: Duration::from_millis(lease_ms),
            wait: Duration::from_millis(wait_ms),
        });
        self
    }

    /// The `local` option.
    #[must_use]
    pub const fn local(mut self) -> Self {
        self.local = true;
        self
    }

    /// The option `inherit = false`.
    #[must_use]
    pub const fn apart(mut self) -> Self {
        self.inherit = false;
        self
    }

    /// The function is a plain `fn`.
    #[must_use]
    pub const fn sync(mut self) -> Self {
        self.sync = true;
        self
    }

    /// The `policy` option.
    #[must_use]
    pub const fn policy(mut self) -> Self {
        self.policy = true;
        self
    }
}

/// When a mutation invalidates, relative to its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// After the body, unless it returned `Err`.
    Success,
    /// After the body, whatever it returned.
    Always,
    /// Before the body.
    Before,
}

/// What is fixed about a mutation.
#[derive(Clone, Copy, Debug)]
pub struct Mutation {
    /// The function's identifier.
    pub name: &'static str,
    /// `file!()` of the function.
    pub file: &'static str,
    /// The line of its identifier.
    pub line: u32,
    /// The `when` option.
    pub when: When,
    /// The deadline of the `crash_safe` option.
    pub crash_safe: Option<Duration>,
}

impl Mutation {
    /// A mutation that invalidates on success.
    #[must_use]
    pub const fn new(name: &'static str, file: &'static str, line: u32) -> Self {
        Self {
            name,
            file,
            line,
            when: When::Success,
            crash_safe: None,
        }
    }

    /// The `when` option.
    #[must_use]
    pub const fn when(mut self, when: When) -> Self {
        self.when = when;
        self
    }

    /// The `crash_safe` option, its deadline in milliseconds.
    #[must_use]
    pub const fn crash_safe(mut self, deadline_ms: u64) -> Self {
        self.crash_safe = Some(Duration::from_millis(deadline_ms));
        self
    }
}

/// What an annotated function does with entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It is `#[cached]`: it makes them.
    Cached,
    /// It is `#[invalidates]`: it outdates them.
    Mutation,
}

/// Something that is written about an annotated function. Defaults are left out. Templates are as
/// they are written; of an expression there are its tokens, and of a duration its units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fact {
    /// `ttl`, a duration.
    Ttl(&'static str),
    /// `ttl`, an expression.
    TtlExpr(&'static str),
    /// `key`, a template.
    Key(&'static str),
    /// `key`, an expression.
    KeyExpr(&'static str),
    /// No `key`: the arguments that are its parts.
    KeyParts(&'static str),
    /// `namespace`, or one of `namespaces`.
    Namespace(&'static str),
    /// `version`.
    Version(u32),
    /// One of `tags`, a template.
    Tag(&'static str),
    /// One of `tags`, an expression.
    TagExpr(&'static str),
    /// All of `tags`, an expression.
    Tags(&'static str),
    /// One of `result_tags`, a template.
    ResultTag(&'static str),
    /// One of `result_tags`, an expression.
    ResultTagExpr(&'static str),
    /// All of `result_tags`, something that is called.
    ResultTags(&'static str),
    /// One of `entries`: the path or the method that is called.
    Entry(&'static str),
    /// `when`, where it is not `success`.
    When(&'static str),
    /// `crash_safe`, its deadline.
    CrashSafe(&'static str),
    /// `singleflight`.
    Singleflight,
    /// `local`.
    Local,
    /// `inherit = false`.
    Apart,
    /// `policy`, an expression.
    Policy(&'static str),
    /// `ttl`, a closure.
    TtlOf(&'static str),
}

/// Where an annotated function is written: its identity in what is told to users.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Place {
    pub(crate) file: &'static str,
    pub(crate) line: u32,
    pub(crate) name: &'static str,
}

/// An annotated function, as it registers itself before `main` begins: one per place, however many
/// types it is instantiated for.
#[derive(Clone, Copy, Debug)]
pub struct Registered {
    /// Which attribute it has.
    pub kind: Kind,
    /// It is a plain `fn`.
    pub sync: bool,
    /// `module_path!()` around the function.
    pub module: &'static str,
    /// The function's identifier.
    pub name: &'static str,
    /// `file!()` of the function.
    pub file: &'static str,
    /// The line of its identifier.
    pub line: u32,
    /// A hash of the function's text: it tells two of one name apart.
    pub text: u32,
    /// What its options say.
    pub facts: &'static [Fact],
}

inventory::collect!(Registered);

impl Registered {
    /// All annotated functions of this program, in no particular order.
    pub(crate) fn all() -> impl Iterator<Item = &'static Self> {
        inventory::iter::<Self>.into_iter()
    }

    /// Those that are `#[cached]`.
    pub(crate) fn cached() -> impl Iterator<Item = &'static Self> {
        Self::all().filter(|one| one.kind == Kind::Cached)
    }

    pub(crate) fn place(&self) -> Place {
        Place {
            file: self.file,
            line: self.line,
            name: self.name,
        }
    }
}

/// Whether any annotated function of this program is a plain `fn`.
pub(crate) fn any_sync() -> bool {
    static ANY: LazyLock<bool> = LazyLock::new(|| Registered::all().any(|one| one.sync));
    *ANY
}
