//! The catalog as a picture, in the languages of Mermaid and of Graphviz: mutations, what they
//! name, and the cached functions that carry it.

use std::fmt::Write as _;

use super::links::{By, between};
use super::{Catalog, Label};

/// What a node stands for, which decides its shape and the letter of its id.
#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Mutation,
    Tag,
    /// A tag of a mutation that no cached function carries.
    Orphan,
    Namespace,
    Cached,
}

struct Node {
    id: String,
    what: What,
    text: String,
}

struct Edge {
    from: String,
    to: String,
    /// How a mutation spells a tag that is spelled otherwise where it is carried.
    text: Option<String>,
    /// From an inner to an outer function.
    inherited: bool,
}

/// Nodes and edges, in the order in which they are drawn.
#[derive(Default)]
struct Graph {
    nodes: Vec<Node>,
    edges: Vec<Edge>,
}

impl Graph {
    fn new(catalog: &Catalog) -> Self {
        let mut graph = Self::default();
        let mutations: Vec<_> = catalog
            .mutations()
            .map(|one| graph.add(What::Mutation, catalog.shown(one)))
            .collect();
        let cached: Vec<_> = catalog
            .cached()
            .map(|one| graph.add(What::Cached, catalog.shown(one)))
            .collect();
        let mut tags: Vec<(&Label, String)> = Vec::new();
        for (one, id) in catalog.cached().zip(&cached) {
            for label in one.tags() {
                let tag = graph.tag(&mut tags, label, What::Tag);
                graph.edge(&tag, id, None, false);
            }
        }
        let carried = tags.clone();
        for (mutation, id) in catalog.mutations().zip(&mutations) {
            for label in mutation.tags() {
                let like: Vec<_> = carried
                    .iter()
                    .filter(|(tag, _)| label.is_like(tag))
                    .collect();
                for (tag, node) in &like {
                    let text = (!tag.is_same(label)).then(|| label.plain());
                    graph.edge(id, node, text, false);
                }
                if like.is_empty() {
                    let what = if label.is_seen() {
                        What::Orphan
                    } else {
                        What::Tag
                    };
                    let tag = graph.tag(&mut tags, label, what);
                    graph.edge(id, &tag, None, false);
                }
            }
            for (one, to) in catalog.cached().zip(&cached) {
                for by in between(mutation, one, catalog) {
                    match by {
                        By::Tag(..) => {}
                        By::Namespace(name) => {
                            let name = graph.namespace(name);
                            graph.edge(id, &name, None, false);
                            graph.edge(&name, to, None, false);
                        }
                        By::Entry => graph.edge(id, to, None, false),
                    }
                }
            }
        }
        for (outer, inner) in &catalog.inherited {
            graph.edge(&cached[*inner], &cached[*outer], None, true);
        }
        graph
    }

    fn add(&mut self, what: What, text: String) -> String {
        let letter = match what {
            What::Mutation => 'm',
            What::Tag | What::Orphan => 't',
            What::Namespace => 'n',
            What::Cached => 'c',
        };
        let id = self.free(format!("{letter}_{}", words(&text)));
        let node = Node {
            id: id.clone(),
            what,
            text,
        };
        self.nodes.push(node);
        id
    }

    /// An id that no node has yet.
    fn free(&self, id: String) -> String {
        let is_free = |id: &String| self.nodes.iter().all(|node| node.id != *id);
        if is_free(&id) {
            return id;
        }
        let numbered = (2..).map(|number| format!("{id}_{number}"));
        numbered.into_iter().find(is_free).unwrap_or(id)
    }

    /// The node of a tag: one for all that are the same but for the names of their values.
    fn tag<'a>(
        &mut self,
        tags: &mut Vec<(&'a Label, String)>,
        label: &'a Label,
        what: What,
    ) -> String {
        if let Some((_, id)) = tags.iter().find(|(tag, _)| tag.is_same(label)) {
            return id.clone();
        }
        let id = self.add(what, label.plain());
        tags.push((label, id.clone()));
        id
    }

    fn namespace(&mut self, name: &str) -> String {
        let text = format!("namespace {name}");
        let known = |node: &&Node| node.what == What::Namespace && node.text == text;
        match self.nodes.iter().find(known) {
            Some(node) => node.id.clone(),
            None => self.add(What::Namespace, text),
        }
    }

    fn edge(&mut self, from: &str, to: &str, text: Option<String>, inherited: bool) {
        let is_known = |edge: &Edge| {
            edge.from == from && edge.to == to && edge.text == text && edge.inherited == inherited
        };
        if !self.edges.iter().any(is_known) {
            self.edges.push(Edge {
                from: from.to_owned(),
                to: to.to_owned(),
                text,
                inherited,
            });
        }
    }
}

impl Catalog {
    /// A flowchart for Mermaid, which many viewers of Markdown draw: mutations, the tags that they
    /// name, the cached functions that carry these; dashed, from inner to outer functions, tags
    /// that were taken over in this process so far.
    #[must_use]
    pub fn mermaid(&self) -> String {
        let graph = Graph::new(self);
        let mut text = String::from("flowchart LR\n");
        for Node {
            id,
            what,
            text: label,
        } in &graph.nodes
        {
            let (open, close) = match what {
                What::Mutation => ("{{", "}}"),
                What::Tag => ("([", "])"),
                What::Orphan => ("([", "]):::orphan"),
                What::Namespace => ("[[", "]]"),
                What::Cached => ("[", "]"),
            };
            let label = for_mermaid(label);
            push(
                &mut text,
                format_args!("    {id}{open}\"{label}\"{close}\n"),
            );
        }
        for edge in &graph.edges {
            let Edge { from, to, .. } = edge;
            let line = match (&edge.text, edge.inherited) {
                (_, true) => format!("{from} -.-> {to}"),
                (Some(text), false) => format!("{from} -->|\"{}\"| {to}", for_mermaid(text)),
                (None, false) => format!("{from} --> {to}"),
            };
            push(&mut text, format_args!("    {line}\n"));
        }
        if graph.nodes.iter().any(|node| node.what == What::Orphan) {
            text.push_str("    classDef orphan stroke-dasharray: 4\n");
        }
        text
    }

    /// The same picture for Graphviz: `dot -Tsvg`.
    #[must_use]
    pub fn dot(&self) -> String {
        let graph = Graph::new(self);
        let mut text = String::from("digraph {\n    rankdir=LR;\n");
        for Node {
            id,
            what,
            text: label,
        } in &graph.nodes
        {
            let shape = match what {
                What::Mutation => "hexagon",
                What::Tag => "ellipse",
                What::Orphan => "ellipse, style=dashed",
                What::Namespace => "folder",
                What::Cached => "box",
            };
            let label = for_dot(label);
            push(
                &mut text,
                format_args!("    {id} [label=\"{label}\", shape={shape}];\n"),
            );
        }
        for edge in &graph.edges {
            let Edge { from, to, .. } = edge;
            let style = match (&edge.text, edge.inherited) {
                (_, true) => " [style=dashed]".to_owned(),
                (Some(text), false) => format!(" [label=\"{}\"]", for_dot(text)),
                (None, false) => String::new(),
            };
            push(&mut text, format_args!("    {from} -> {to}{style};\n"));
        }
        text.push_str("}\n");
        text
    }
}

/// The words of a text, as part of an id. By these and not by numbers, so that one more function
/// is one more line, where a picture is kept under version control.
fn words(text: &str) -> String {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
    words.join("_")
}

fn push(text: &mut String, line: std::fmt::Arguments<'_>) {
    // A string takes whatever is written to it.
    let _ = text.write_fmt(line);
}

/// Between quotes, Mermaid takes entities, and reads the rest as HTML and Markdown.
fn for_mermaid(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '"' => escaped.push_str("#quot;"),
            '<' => escaped.push_str("#lt;"),
            '>' => escaped.push_str("#gt;"),
            '&' => escaped.push_str("#amp;"),
            '#' | '`' | '\\' => push(&mut escaped, format_args!("#{};", u32::from(c))),
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

/// Between quotes, Graphviz takes escapes; a newline would end nothing, but be one.
fn for_dot(text: &str) -> String {
    let plain = text.replace('\\', "\\\\").replace('"', "\\\"");
    plain.replace(char::is_control, " ")
}
