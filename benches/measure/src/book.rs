//! What is cached: a struct of some 180 bytes, with three texts on the heap.

use serde::{Deserialize, Serialize};

/// A value as services have them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Book {
    /// Its key.
    pub id: i64,
    /// Of it in the order of its fields.
    pub title: String,
    /// See there.
    pub author: String,
    /// The longest.
    pub blurb: String,
}

impl Book {
    /// The book with this id.
    pub fn new(id: i64) -> Self {
        Self {
            id,
            title: format!("The {id}th book on caching"),
            author: "Somebody Known".to_owned(),
            blurb: "what it is about, in so many words ".repeat(3),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Book;

    #[test]
    fn it_has_about_as_many_bytes_as_the_tables_say() {
        let json = serde_json::to_vec(&Book::new(500)).expect("plain data");
        assert!((150..=230).contains(&json.len()), "{}", json.len());
    }
}
