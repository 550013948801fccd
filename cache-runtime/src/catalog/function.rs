//! Annotated functions, one by one: what is written at them, by name.

use std::fmt;
use std::ops::Deref;

use super::Label;
use crate::spec::{Fact, Kind, Place, Registered};

/// An annotated function: what it is called and where it is.
#[derive(Clone)]
pub struct Function(&'static Registered);

impl Function {
    pub(super) fn new(registered: &'static Registered) -> Self {
        Self(registered)
    }

    pub(super) fn kind(&self) -> Kind {
        self.0.kind
    }

    pub(super) fn place(&self) -> Place {
        self.0.place()
    }

    /// Its identifier.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.0.name
    }

    /// The path of the module around it.
    #[must_use]
    pub fn module(&self) -> &'static str {
        self.0.module
    }

    /// Its module and its name. Of a method, the type is not in it.
    #[must_use]
    pub fn path(&self) -> String {
        format!("{}::{}", self.module(), self.name())
    }

    /// The file that it is in, as the compiler was given it.
    #[must_use]
    pub fn file(&self) -> &'static str {
        self.0.file
    }

    /// The line of its identifier.
    #[must_use]
    pub fn line(&self) -> u32 {
        self.0.line
    }

    /// Whether it is a plain `fn`.
    #[must_use]
    pub fn is_sync(&self) -> bool {
        self.0.sync
    }

    pub(super) fn krate(&self) -> &'static str {
        let module = self.module();
        module.split_once("::").map_or(module, |(krate, _)| krate)
    }

    /// How it is told of in a sentence.
    pub(super) fn placed(&self) -> String {
        format!("`{}` ({}:{})", self.name(), self.file(), self.line())
    }

    fn labels(&self) -> Vec<Label> {
        self.0.facts.iter().filter_map(Label::new).collect()
    }

    fn facts(&self) -> &'static [Fact] {
        self.0.facts
    }

    fn texts(&self, text: fn(&Fact) -> Option<&'static str>) -> impl Iterator<Item = &'static str> {
        self.0.facts.iter().filter_map(text)
    }
}

impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.0, other.0)
    }
}

impl Eq for Function {}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}:{}", self.path(), self.file(), self.line())
    }
}

/// A cached function. What it has in common with mutations is there by `Deref`.
#[derive(Clone, Debug)]
pub struct CachedFn(Function, Vec<Label>);

impl CachedFn {
    pub(super) fn new(function: Function) -> Self {
        let labels = function.labels();
        Self(function, labels)
    }

    /// How long its values live: in units, as in `1h30m`, or the expression or closure that says
    /// it.
    #[must_use]
    pub fn ttl(&self) -> Option<&'static str> {
        let mut ttl = self.texts(|fact| match fact {
            Fact::Ttl(text) | Fact::TtlExpr(text) | Fact::TtlOf(text) => Some(text),
            _ => None,
        });
        ttl.next()
    }

    /// Its key: a template, an expression, or, in parentheses, the arguments that are its parts.
    #[must_use]
    pub fn key(&self) -> String {
        let key = self.0.facts().iter().find_map(|fact| match fact {
            Fact::Key(text) | Fact::KeyExpr(text) => Some((*text).to_owned()),
            Fact::KeyParts(names) => Some(format!("({names})")),
            _ => None,
        });
        key.unwrap_or_default()
    }

    /// Its `namespace`, if it names one.
    #[must_use]
    pub fn namespace(&self) -> Option<&'static str> {
        self.texts(namespace).next()
    }

    /// Its `version`.
    #[must_use]
    pub fn version(&self) -> u32 {
        let version = self.0.facts().iter().find_map(|fact| match fact {
            Fact::Version(version) => Some(*version),
            _ => None,
        });
        version.unwrap_or_default()
    }

    /// Its `tags`, then its `result_tags`.
    #[must_use]
    pub fn tags(&self) -> &[Label] {
        &self.1
    }

    /// Whether it has `singleflight`.
    #[must_use]
    pub fn is_singleflight(&self) -> bool {
        self.0.facts().contains(&Fact::Singleflight)
    }

    /// The expression that says its `policy`, if it has one.
    #[must_use]
    pub fn policy(&self) -> Option<&'static str> {
        let mut policy = self.texts(|fact| match fact {
            Fact::Policy(text) => Some(text),
            _ => None,
        });
        policy.next()
    }

    /// Whether it is `local`.
    #[must_use]
    pub fn is_local(&self) -> bool {
        self.0.facts().contains(&Fact::Local)
    }

    /// Whether it takes over the tags of cached calls made inside.
    #[must_use]
    pub fn inherits(&self) -> bool {
        !self.0.facts().contains(&Fact::Apart)
    }

    pub(super) fn written(&self) -> impl Iterator<Item = (&Function, &Label)> {
        self.1.iter().map(|label| (&self.0, label))
    }
}

impl Deref for CachedFn {
    type Target = Function;

    fn deref(&self) -> &Function {
        &self.0
    }
}

/// A mutation. What it has in common with cached functions is there by `Deref`.
#[derive(Clone, Debug)]
pub struct MutationFn(Function, Vec<Label>);

impl MutationFn {
    pub(super) fn new(function: Function) -> Self {
        let labels = function.labels();
        Self(function, labels)
    }

    /// Its `tags`, then its `result_tags`.
    #[must_use]
    pub fn tags(&self) -> &[Label] {
        &self.1
    }

    /// Its `namespaces`.
    pub fn namespaces(&self) -> impl Iterator<Item = &'static str> {
        self.texts(namespace)
    }

    /// What its `entries` call: paths, and methods with what they are called on.
    pub fn entries(&self) -> impl Iterator<Item = &'static str> {
        self.texts(|fact| match fact {
            Fact::Entry(call) => Some(call),
            _ => None,
        })
    }

    /// `success`, `always` or `before`.
    #[must_use]
    pub fn when(&self) -> &'static str {
        let mut when = self.texts(|fact| match fact {
            Fact::When(when) => Some(when),
            _ => None,
        });
        when.next().unwrap_or("success")
    }

    /// The deadline of its `crash_safe`, if it has that.
    #[must_use]
    pub fn crash_safe(&self) -> Option<&'static str> {
        let mut deadline = self.texts(|fact| match fact {
            Fact::CrashSafe(deadline) => Some(deadline),
            _ => None,
        });
        deadline.next()
    }

    pub(super) fn written(&self) -> impl Iterator<Item = (&Function, &Label)> {
        self.1.iter().map(|label| (&self.0, label))
    }
}

impl Deref for MutationFn {
    type Target = Function;

    fn deref(&self) -> &Function {
        &self.0
    }
}

fn namespace(fact: &Fact) -> Option<&'static str> {
    match fact {
        Fact::Namespace(name) => Some(name),
        _ => None,
    }
}
