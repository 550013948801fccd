//! Frozen hashes, and the ways to write a tag.

use super::*;

#[test]
fn hashes_are_frozen() {
    let hashes = [
        Tag::from("books").hash(),
        Tag::from("book:7").hash(),
        Tag::from("").hash(),
        Tag::from("é").hash(),
        TagHash::all(),
        TagHash::namespace("books"),
        TagHash::namespace(""),
        TagHash::key(&[0; 16]),
        TagHash::key(&[7; 16]),
        TagHash::single(TagHash::namespace("books")),
        TagHash::any(),
        TagHash::entries(),
    ];
    let hashes: Vec<String> = hashes
        .iter()
        .map(|hash| format!("{:016x}", hash.get()))
        .collect();
    assert_eq!(
        hashes,
        [
            "515bbb742f6ddf98",
            "db65624cba9bba9e",
            "1b43358599da5726",
            "06db11fd5169d10f",
            "912a27cb746aa65d",
            "a7b34425068b32f9",
            "cd98b19bd093a83b",
            "fb0a59bc23cff975",
            "91ffaae3b911b02f",
            "ad7505a53f90debc",
            "87a584a0360dd7dc",
            "9d34de05e8f7a16a"
        ]
    );
}

#[test]
fn kinds_do_not_share_hashes() {
    let text = "abcdefghijklmnop";
    let digest: &[u8; 16] = text.as_bytes().try_into().unwrap();
    let hashes = [
        TagHash::tag(text),
        TagHash::namespace(text),
        TagHash::key(digest),
    ];
    assert!(hashes[0] != hashes[1] && hashes[1] != hashes[2] && hashes[0] != hashes[2]);
    assert!(TagHash::all() != TagHash::tag("") && TagHash::all() != TagHash::namespace(""));
}

#[test]
fn a_tag_is_its_exact_text() {
    let id = 7;
    let owned = String::from("book:7");
    let tags = [
        Tag::from("book:7"),
        Tag::from(&"book:7"),
        Tag::from(&owned),
        Tag::from(Cow::Borrowed("book:7")),
        Tag::from(Box::<str>::from("book:7")),
        Tag::from(Arc::<str>::from("book:7")),
        Tag::from(format_args!("book:{id}")),
        Tag::from(format_args!("book:7")),
        Tag::from(&Tag::from("book:7")),
        Tag::from(owned),
    ];
    for tag in &tags {
        assert_eq!(tag, &tags[0]);
        assert_eq!(
            (tag.as_str(), tag.as_ref(), tag.is_empty()),
            ("book:7", "book:7", false)
        );
        assert_eq!(tag.hash(), tags[0].hash());
    }
    assert_eq!(tags[0].to_string(), "book:7");
    assert_eq!(format!("{:?}", tags[0]), "Tag(\"book:7\")");
    assert_ne!(Tag::from("a b"), Tag::from("a%20b"));
    assert!(Tag::from("").is_empty());
}

#[test]
fn zero_is_no_hash() {
    assert_eq!(TagHash::from_u64(0), None);
    assert_eq!(TagHash::from_u64(1).map(TagHash::get), Some(1));
}
