//! What `cargo metadata` tells: the packages that come with the published crates, and what their
//! manifests say. Which of them may be depended on is written down here.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{CRATES, printed};
use crate::shell::cargo;

/// What each crate may depend on, whatever the features and the platform. A dependency is in every
/// user's build and in every user's trust: a new one is a change to this list, with its reason in
/// the manifest.
const ALLOWED: [(&str, &[&str]); 3] = [
    ("afresh-macros", &["proc-macro2", "quote", "syn"]),
    (
        "afresh-runtime",
        &[
            "bincode",
            "chrono",
            "futures-util",
            "getrandom",
            "inventory",
            "jiff",
            "pin-project-lite",
            "postcard",
            "quick_cache",
            "redis",
            "rmp-serde",
            "rustix",
            "rustls",
            "rustls-native-certs",
            "serde",
            "serde_json",
            "sha2",
            "tokio",
            "tokio-rustls",
            "tracing",
            "typeid",
            "uuid",
            "xxhash-rust",
        ],
    ),
    ("afresh", &["afresh-macros", "afresh-runtime"]),
];

/// Named by a test or a tool of this workspace, and brought along by an allowed dependency anyway.
const BROUGHT_ALONG: [&str; 1] = ["tracing-core"];

/// One package of the graph.
#[derive(Debug)]
pub(super) struct Package {
    pub(super) name: String,
    /// As `cargo metadata` has it.
    manifest: Value,
    /// Those that users of this package compile with some set of features, on some platform.
    compiled: Vec<String>,
    is_member: bool,
}

impl Package {
    pub(super) fn text(&self, field: &str) -> Option<&str> {
        self.manifest[field].as_str()
    }

    pub(super) fn features(&self) -> BTreeSet<&str> {
        let features = self.manifest["features"].as_object();
        features
            .into_iter()
            .flat_map(|it| it.keys().map(String::as_str))
            .collect()
    }

    /// The names of what its manifest depends on; only for development, or not.
    fn direct(&self, for_development: bool) -> BTreeSet<&str> {
        let all = self.manifest["dependencies"]
            .as_array()
            .into_iter()
            .flatten();
        all.filter(|one| (one["kind"] == "dev") == for_development)
            .filter_map(|one| one["name"].as_str())
            .collect()
    }

    fn is_published(&self) -> bool {
        // An empty list of registries is `publish = false`.
        self.is_member && self.manifest["publish"].is_null()
    }
}

/// The packages of the workspace and all that they depend on, by id, with every feature.
pub(super) struct Tree(BTreeMap<String, Package>);

impl Tree {
    pub(super) fn read() -> Result<Self, String> {
        let words = [
            "metadata",
            "--format-version",
            "1",
            "--all-features",
            "--locked",
        ];
        let text = printed(&mut cargo(&words))?;
        let told: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        Ok(Self::of(&told))
    }

    fn of(told: &Value) -> Self {
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let members: BTreeSet<String> = list(&told["workspace_members"]).iter().map(text).collect();
        let compiled: BTreeMap<String, Vec<String>> = list(&told["resolve"]["nodes"])
            .iter()
            .map(|node| {
                let is_compiled = |dep: &&Value| {
                    list(&dep["dep_kinds"])
                        .iter()
                        .any(|kind| kind["kind"] != "dev")
                };
                let deps = list(&node["deps"]);
                let ids = deps.iter().filter(is_compiled).map(|dep| text(&dep["pkg"]));
                (text(&node["id"]), ids.collect())
            })
            .collect();
        let package = |manifest: &Value| {
            let id = text(&manifest["id"]);
            let package = Package {
                name: text(&manifest["name"]),
                manifest: manifest.clone(),
                compiled: compiled.get(&id).cloned().unwrap_or_default(),
                is_member: members.contains(&id),
            };
            (id, package)
        };
        Self(list(&told["packages"]).iter().map(package).collect())
    }

    /// A package of this workspace.
    pub(super) fn member(&self, name: &str) -> Result<&Package, String> {
        let mut members = self.0.values().filter(|package| package.is_member);
        let found = members.find(|package| package.name == name);
        found.ok_or_else(|| format!("there is no `{name}`"))
    }

    /// What users of the published crates compile, those crates among it.
    pub(super) fn published(&self) -> Vec<&Package> {
        let mut open: Vec<&String> = self
            .0
            .iter()
            .filter(|(_, one)| one.is_published())
            .map(|(id, _)| id)
            .collect();
        let mut seen = BTreeSet::new();
        while let Some(id) = open.pop() {
            if seen.insert(id) {
                open.extend(self.0.get(id).into_iter().flat_map(|one| &one.compiled));
            }
        }
        seen.into_iter().filter_map(|id| self.0.get(id)).collect()
    }

    /// Direct dependencies of tests and tools that no user should ever compile.
    fn of_tools(&self) -> BTreeSet<&str> {
        let allowed: BTreeSet<&str> = ALLOWED
            .iter()
            .flat_map(|(_, names)| *names)
            .copied()
            .collect();
        let members = self.0.values().filter(|package| package.is_member);
        members
            .flat_map(|one| {
                let otherwise = if one.is_published() {
                    BTreeSet::new()
                } else {
                    one.direct(false)
                };
                one.direct(true).into_iter().chain(otherwise)
            })
            .filter(|name| {
                !allowed.contains(name) && !BROUGHT_ALONG.contains(name) && !CRATES.contains(name)
            })
            .collect()
    }

    /// What is not as [`ALLOWED`] has it.
    fn strays(&self) -> Result<Vec<String>, String> {
        let mut strays = Vec::new();
        let published: BTreeSet<&str> = self
            .0
            .values()
            .filter(|one| one.is_published())
            .map(|one| one.name.as_str())
            .collect();
        if published != CRATES.into_iter().collect() {
            strays.push(format!("published are {published:?}"));
        }
        for (name, allowed) in ALLOWED {
            let direct = self.member(name)?.direct(false);
            let allowed: BTreeSet<&str> = allowed.iter().copied().collect();
            let new = direct
                .difference(&allowed)
                .map(|it| format!("`{name}` has the new dependency `{it}`"));
            let gone = allowed
                .difference(&direct)
                .map(|it| format!("`{name}` no longer depends on `{it}`"));
            strays.extend(new.chain(gone));
        }
        let tools = self.of_tools();
        let reached = self
            .published()
            .into_iter()
            .filter(|one| tools.contains(one.name.as_str()));
        strays.extend(
            reached.map(|one| format!("users would compile `{}`, a tool of ours", one.name)),
        );
        Ok(strays)
    }
}

/// The published crates depend on what they may, and on no tool of the tests.
pub(super) fn dependencies() -> Result<String, String> {
    let tree = Tree::read()?;
    let strays = tree.strays()?;
    if !strays.is_empty() {
        return Err(format!(
            "{}; see ALLOWED in xtask/src/supply/tree.rs",
            strays.join("; ")
        ));
    }
    let direct: usize = ALLOWED.iter().map(|(_, names)| names.len()).sum();
    Ok(format!(
        "{direct} direct dependencies as written down, {} packages at most (every feature, every \
         platform), none of {} tools among them",
        tree.published().len(),
        tree.of_tools().len(),
    ))
}

/// The manifests say what a registry and docs.rs need.
pub(super) fn manifests() -> Result<String, String> {
    let tree = Tree::read()?;
    let mut lacks = Vec::new();
    for name in CRATES {
        let package = tree.member(name)?;
        for field in ["description", "license", "readme", "rust_version"] {
            if package.text(field).is_none_or(str::is_empty) {
                lacks.push(format!("`{name}` has no `{field}`"));
            }
        }
        for field in ["keywords", "categories"] {
            let count = package.manifest[field].as_array().map_or(0, Vec::len);
            if !(1..=5).contains(&count) {
                lacks.push(format!(
                    "`{name}` has {count} {field}, of which there are 1 to 5"
                ));
            }
        }
        if package.manifest["metadata"]["docs"]["rs"]["all-features"] != true {
            lacks.push(format!("docs.rs would not show every feature of `{name}`"));
        }
    }
    if lacks.is_empty() {
        Ok(String::new())
    } else {
        Err(lacks.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn manifest(id: &str, publish: &Value, dependencies: &[(&str, Value)]) -> Value {
        let dependencies: Vec<_> = dependencies
            .iter()
            .map(|(name, kind)| json!({"name": name, "kind": kind}))
            .collect();
        json!({"id": id, "name": id, "publish": publish, "dependencies": dependencies})
    }

    /// Three crates that depend on what they may, one that is not published, and one of others.
    fn told(runtime_has: &str, brought: &str) -> Value {
        let normal = Value::Null;
        let of = |at: usize| ALLOWED[at].1.iter().map(|name| (*name, normal.clone()));
        let mut runtime: Vec<_> = of(1).collect();
        runtime.push(("proptest", json!("dev")));
        if !runtime_has.is_empty() {
            runtime.push((runtime_has, normal.clone()));
        }
        let edge = |to: &str, kind: &Value| json!({"pkg": to, "dep_kinds": [{"kind": kind}]});
        json!({
            "workspace_members": ["afresh-macros", "afresh-runtime", "afresh", "checker"],
            "packages": [
                manifest("afresh-macros", &normal, &of(0).collect::<Vec<_>>()),
                manifest("afresh-runtime", &normal, &runtime),
                manifest("afresh", &normal, &of(2).collect::<Vec<_>>()),
                manifest("checker", &json!([]), &[("stateright", normal.clone())]),
                manifest("redis", &normal, &[]),
                manifest("proptest", &normal, &[]),
                manifest("stateright", &normal, &[]),
            ],
            "resolve": {"nodes": [
                {"id": "afresh", "deps": [edge("afresh-runtime", &normal)]},
                {"id": "afresh-runtime", "deps": [edge("redis", &normal), edge("proptest", &json!("dev"))]},
                {"id": "redis", "deps": [edge(brought, &normal)]},
            ]},
        })
    }

    fn strays(told: &Value) -> Vec<String> {
        Tree::of(told).strays().expect("all three crates")
    }

    #[test]
    fn what_is_written_down_holds() {
        assert_eq!(strays(&told("", "redis")), Vec::<String>::new());
    }

    #[test]
    fn a_new_dependency_is_told() {
        let strays = strays(&told("regex", "redis"));
        assert_eq!(strays, ["`afresh-runtime` has the new dependency `regex`"]);
    }

    #[test]
    fn a_tool_that_users_would_compile_is_told() {
        for tool in ["stateright", "proptest"] {
            let strays = strays(&told("", tool));
            assert_eq!(
                strays,
                [format!("users would compile `{tool}`, a tool of ours")]
            );
        }
    }

    #[test]
    fn a_crate_that_would_be_published_too_is_told() {
        let mut told = told("", "redis");
        told["packages"][3]["publish"] = Value::Null;
        assert!(strays(&told)[0].starts_with("published are"));
    }
}
