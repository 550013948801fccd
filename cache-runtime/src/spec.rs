//! What is fixed at compile time about an annotated function. Constant data only: nothing here
//! runs, and nothing here knows a value's type.

use std::time::Duration;

/// How a function's keys are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

/// Which annotated function: what tells it from all others of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Place {
    /// `file!()` of the function.
    pub(crate) file: &'static str,
    /// `line!()` of the function.
    pub(crate) line: u32,
    /// The function's identifier.
    pub(crate) name: &'static str,
}

/// What is fixed about a cached function: its name and place, its options that are constants.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    /// The function's identifier.
    pub name: &'static str,
    /// `file!()` of the function.
    pub file: &'static str,
    /// `line!()` of the function.
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
    pub const fn uninherited(mut self) -> Self {
        self.inherit = false;
        self
    }

    /// The function is a plain `fn`.
    #[must_use]
    pub const fn sync(mut self) -> Self {
        self.sync = true;
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
    /// `line!()` of the function.
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

/// An annotated function, as it registers itself before `main` begins.
#[derive(Clone, Copy, Debug)]
pub struct Registered {
    /// `module_path!()` around the function.
    pub module: &'static str,
    /// The function's identifier.
    pub name: &'static str,
    /// `file!()` of the function.
    pub file: &'static str,
    /// `line!()` of the function.
    pub line: u32,
    /// A hash of the function's text: it tells two of one name apart.
    pub text: u32,
}

inventory::collect!(Registered);

impl Registered {
    /// All annotated functions of this program, in no particular order.
    pub(crate) fn all() -> impl Iterator<Item = &'static Self> {
        inventory::iter::<Self>.into_iter()
    }
}
