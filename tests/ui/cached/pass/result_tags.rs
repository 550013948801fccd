//! Each form of `result_tags`, on both attributes.

use afresh::{Tag, cached, invalidates};

fn labels(names: &Vec<String>) -> impl Iterator<Item = &String> {
    names.iter()
}

#[cached(ttl = 60, result_tags = |_| [])]
async fn empty(id: u32) -> u32 {
    id
}

#[cached(ttl = 60, result_tags = |id| ["{id}", "fixed", "{{braces}}", format!("{id}"), Tag::from("tag")])]
async fn list(other: u32) -> u32 {
    other
}

#[cached(ttl = 60, result_tags = |value: &(u32, u32)| ["{value.0}:{value.1}"])]
async fn typed(id: u32) -> (u32, u32) {
    (id, id)
}

#[cached(ttl = 60, result_tags = labels)]
async fn by_path(names: Vec<String>) -> Vec<String> {
    names
}

#[cached(ttl = 60, result_tags = |names| { let all = names.len(); (0..all).map(|at| at.to_string()) })]
async fn block(names: Vec<String>) -> Vec<String> {
    names
}

#[cached(ttl = 60, result_tags = |_| vec!["fixed"])]
async fn fixed(id: u32) -> Result<u32, String> {
    Ok(id)
}

#[cached(ttl = 60, key = "{name}", result_tags = move |found| ["{name}:{found}"])]
async fn borrowed(name: &str) -> usize {
    name.len()
}

// What only the value's names are in leaves the arguments to the body.
#[cached(ttl = 60, key = "{name}", result_tags = |found| ["{found}"])]
async fn consumed(name: String) -> String {
    name
}

#[invalidates(result_tags = labels)]
async fn from_the_value(names: Vec<String>) -> Result<Vec<String>, String> {
    Ok(names)
}

#[invalidates(result_tags = |title| ["title:{title}", "id:{id}"], tags = ["titles"], when = always)]
async fn rename(id: u32, title: &str) -> String {
    title.to_owned()
}

fn main() {
    let _ = (empty(1), list(1), typed(1), by_path(Vec::new()), block(Vec::new()), fixed(1));
    let _ = (borrowed(""), consumed(String::new()), from_the_value(Vec::new()), rename(1, ""));
}
