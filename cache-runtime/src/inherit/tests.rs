//! What is gathered, within the bound and beyond it.

use super::*;

const CACHE: usize = 1;
const PLACE: Place = Place {
    name: "inner",
    file: "inner.rs",
    line: 1,
};

fn tags(namespace: &str, key: u8, written: &[String]) -> Vec<TagHash> {
    let implicit = [
        TagHash::all(),
        TagHash::namespace(namespace),
        TagHash::key(&[key; 16]),
    ];
    let written = written.iter().map(|text| TagHash::tag(text));
    implicit.into_iter().chain(written).collect()
}

fn sorted(mut tags: Vec<TagHash>) -> Vec<TagHash> {
    tags.sort_unstable();
    tags
}

#[test]
fn the_tags_of_each_value_are_taken_over_once() {
    let inherited = Inherited::new(CACHE);
    let inner = tags("books", 7, &["books".to_owned()]);
    inherited.take(CACHE, PLACE, &inner);
    inherited.take(CACHE, PLACE, &inner);
    let got = inherited.finish();
    // All but the tag of every entry, which the outer one has anyway.
    assert_eq!(got.tags, sorted(inner[1..].to_vec()));
    assert_eq!(got.from, [PLACE]);
    assert!(!got.is_everything);
    assert!(inherited.finish().tags.is_empty(), "gathered once");
}

#[test]
fn nothing_is_taken_over_from_another_cache() {
    let inherited = Inherited::new(CACHE);
    inherited.take(2, PLACE, &tags("books", 7, &[]));
    assert!(inherited.finish().tags.is_empty());
}

#[test]
fn too_many_entries_of_a_namespace_are_one_tag_for_all_single_ones() {
    let inherited = Inherited::new(CACHE);
    for key in 0..=255 {
        inherited.take(CACHE, PLACE, &tags("books", key, &["books".to_owned()]));
    }
    let books = TagHash::namespace("books");
    let expected = vec![books, TagHash::single(books), TagHash::tag("books")];
    let got = inherited.finish();
    assert_eq!(got.tags, sorted(expected));
    assert!(!got.is_everything);
}

#[test]
fn the_bound_is_for_keys_and_tags_together() {
    let inherited = Inherited::new(CACHE);
    for key in 0..40 {
        inherited.take(CACHE, PLACE, &tags("books", key, &[format!("book:{key}")]));
    }
    let got = inherited.finish();
    assert!(!got.is_everything);
    // 40 tags, the namespace, and what stands for its single entries.
    assert_eq!(got.tags.len(), 42);
}

#[test]
fn too_many_written_tags_are_any_invalidation_at_all() {
    let inherited = Inherited::new(CACHE);
    for key in 0..70 {
        inherited.take(CACHE, PLACE, &tags("books", key, &[format!("book:{key}")]));
    }
    let got = inherited.finish();
    assert!(got.is_everything);
    assert_eq!(got.tags, [TagHash::any()]);
}

#[test]
fn what_took_over_everything_hands_it_on() {
    let inherited = Inherited::new(CACHE);
    let mut inner = tags("pages", 1, &[]);
    inner.push(TagHash::any());
    inherited.take(CACHE, PLACE, &inner);
    assert_eq!(inherited.finish().tags, [TagHash::any()]);
}
