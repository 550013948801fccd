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

fn inherited() -> Inherited {
    Inherited::new(CACHE, Position { log: 1, head: 5 })
}

fn sorted(mut tags: Vec<TagHash>) -> Vec<TagHash> {
    tags.sort_unstable();
    tags
}

#[test]
fn the_tags_of_each_value_are_taken_over_once() {
    let inherited = inherited();
    let inner = tags("books", 7, &["books".to_owned()]);
    inherited.take(PLACE, &inner);
    inherited.take(PLACE, &inner);
    let got = inherited.finish();
    // All but the tag of every entry, which the outer one has anyway.
    let [_, namespace, key, written] = inner[..] else {
        panic!("{inner:?}")
    };
    assert_eq!(got.tags, sorted(vec![namespace, written]));
    assert_eq!(got.entries, [TagHash::entries(), namespace, key]);
    assert_eq!(got.from, [PLACE]);
    assert!(!got.is_everything && !got.is_spoilt);
    assert!(inherited.finish().tags.is_empty(), "gathered once");
}

#[test]
fn what_is_known_to_be_current_where_the_compute_began_is_admitted() {
    let inherited = inherited();
    let at = |log, head| Position { log, head };
    assert!(inherited.admits(at(1, 5)) && inherited.admits(at(1, 6)));
    assert!(!inherited.admits(at(1, 4)) && !inherited.admits(at(2, 6)));
    inherited.spoil();
    assert!(inherited.finish().is_spoilt);
}

#[test]
fn entries_that_were_taken_over_are_still_entries() {
    let section = |from: u8| {
        let inherited = inherited();
        for key in from..from + 10 {
            inherited.take(PLACE, &tags("books", key, &[]));
        }
        let got = inherited.finish();
        let own = tags("sections", from, &["of its own".to_owned()]);
        [own, got.tags, got.entries].concat()
    };
    let page = inherited();
    for from in 0..10 {
        page.take(PLACE, &section(from * 10));
    }
    let got = page.finish();
    let [books, sections] = ["books", "sections"].map(TagHash::namespace);
    let written = TagHash::tag("of its own");
    let singles = [books, sections].map(TagHash::single);
    let expected = [books, sections, written, singles[0], singles[1]];
    assert_eq!(got.tags, sorted(expected.to_vec()));
    assert!(got.entries.is_empty() && !got.is_everything);
}

#[test]
fn too_many_entries_of_a_namespace_are_one_tag_for_all_single_ones() {
    let inherited = inherited();
    for key in 0..=255 {
        inherited.take(PLACE, &tags("books", key, &["books".to_owned()]));
    }
    let books = TagHash::namespace("books");
    let expected = vec![books, TagHash::single(books), TagHash::tag("books")];
    let got = inherited.finish();
    assert_eq!(got.tags, sorted(expected));
    assert!(!got.is_everything);
}

#[test]
fn the_bound_is_for_keys_and_tags_together() {
    let inherited = inherited();
    for key in 0..40 {
        inherited.take(PLACE, &tags("books", key, &[format!("book:{key}")]));
    }
    let got = inherited.finish();
    assert!(!got.is_everything && got.entries.is_empty());
    // 40 tags, the namespace, and what stands for its single entries.
    assert_eq!(got.tags.len(), 42);
}

#[test]
fn too_many_written_tags_are_any_invalidation_at_all() {
    let inherited = inherited();
    for key in 0..70 {
        inherited.take(PLACE, &tags("books", key, &[format!("book:{key}")]));
    }
    let got = inherited.finish();
    assert!(got.is_everything);
    assert_eq!(got.tags, [TagHash::any()]);
}

#[test]
fn what_took_over_everything_hands_it_on() {
    let inherited = inherited();
    let mut inner = tags("pages", 1, &[]);
    inner.push(TagHash::any());
    inherited.take(PLACE, &inner);
    assert_eq!(inherited.finish().tags, [TagHash::any()]);
}
