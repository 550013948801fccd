//! Frozen bytes, and bytes that are not an entry.

use super::*;

const KEY_OF_GOLDEN: [u8; 16] = *b"the key's digest";
const SHAPE_OF_GOLDEN: u64 = 0x0102_0304_0506_0708;

fn golden() -> (Header, Vec<TagHash>, Vec<u8>) {
    let header = Header {
        log: *b"the log's own id",
        version: 0x1122_3344_5566_7788,
        soft_expiry: 1_000,
        hard_expiry: 2_000,
        compute_micros: 3_000,
        lives: 600,
        ahead: 100,
        key: KEY_OF_GOLDEN,
        shape: SHAPE_OF_GOLDEN,
        codec: Codec::Postcard,
    };
    let tags = vec![
        TagHash::from_u64(1).unwrap(),
        TagHash::from_u64(u64::MAX).unwrap(),
    ];
    (header, tags, b"payload".to_vec())
}

fn golden_bytes() -> Vec<u8> {
    let (header, tags, payload) = golden();
    encode(&header, &tags, &payload).unwrap()
}

fn read(bytes: &[u8]) -> Result<Stored<'_>, Unreadable> {
    parse(bytes, &KEY_OF_GOLDEN, SHAPE_OF_GOLDEN)
}

/// Sets bytes and makes the checksum right again.
fn changed(at: usize, to: &[u8]) -> Vec<u8> {
    let mut bytes = golden_bytes();
    bytes[at..at + to.len()].copy_from_slice(to);
    sealed(bytes)
}

fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let checksum = checksum(&bytes).to_le_bytes();
    bytes[CHECKSUM..HEADER].copy_from_slice(&checksum);
    bytes
}

#[test]
fn the_bytes_are_frozen() {
    let expected = [
        &b"AFR\x02"[..],
        &[1, 0],
        &[2, 0],
        b"the log's own id",
        &[0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88],
        &[0xe8, 0x03, 0, 0, 0, 0, 0, 0],
        &[0xd0, 0x07, 0, 0, 0, 0, 0, 0],
        &[0xb8, 0x0b, 0, 0],
        &[0x58, 0x02, 0, 0],
        &[0x64, 0, 0, 0],
        b"the key's digest",
        &[8, 7, 6, 5, 4, 3, 2, 1],
        &0x8119_6d82_f091_3f78_u64.to_le_bytes(),
        &[1, 0, 0, 0, 0, 0, 0, 0],
        &[0xff; 8],
        b"payload",
    ]
    .concat();
    assert_eq!(golden_bytes(), expected);
}

#[test]
fn what_was_encoded_is_read() {
    let (header, tags, payload) = golden();
    let bytes = golden_bytes();
    let stored = read(&bytes).unwrap();
    assert_eq!(
        (stored.header, &*stored.tags, stored.payload),
        (header.clone(), &*tags, &*payload)
    );

    let many: Vec<_> = (1..=u64::from(u16::MAX))
        .filter_map(TagHash::from_u64)
        .collect();
    for tags in [&many[..], &[]] {
        for payload in [&[7; 1000][..], &[]] {
            let bytes = encode(&header, tags, payload).unwrap();
            let stored = read(&bytes).unwrap();
            assert_eq!((&*stored.tags, stored.payload), (tags, payload));
        }
    }
}

#[test]
fn too_many_tags_are_refused() {
    let (header, tags, _) = golden();
    let error = encode(&header, &vec![tags[0]; 65_536], &[]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "an entry has 65536 tags, at most 65535 fit"
    );
}

#[test]
fn each_fault_is_told() {
    assert_eq!(read(&[]).unwrap_err(), Unreadable::Truncated);
    assert_eq!(
        read(&golden_bytes()[..HEADER - 1]).unwrap_err(),
        Unreadable::Truncated
    );
    assert_eq!(read(&changed(0, b"X")).unwrap_err(), Unreadable::Magic);
    for format in [0, 1, 3] {
        assert_eq!(
            read(&changed(3, &[format])).unwrap_err(),
            Unreadable::Format
        );
    }
    assert_eq!(read(&changed(FLAGS, &[1])).unwrap_err(), Unreadable::Flags);
    for codec in [0, 5, 255] {
        assert_eq!(
            read(&changed(CODEC, &[codec])).unwrap_err(),
            Unreadable::Codec
        );
    }
    assert_eq!(
        read(&changed(TAG_COUNT, &[3, 0])).unwrap_err(),
        Unreadable::Tags
    );
    assert_eq!(
        read(&changed(TAG_COUNT, &[255, 255])).unwrap_err(),
        Unreadable::Tags
    );
    assert_eq!(read(&changed(HEADER, &[0])).unwrap_err(), Unreadable::Tags);
    assert_eq!(read(&changed(KEY, b"T")).unwrap_err(), Unreadable::OtherKey);
    assert_eq!(
        read(&changed(SHAPE, &[9])).unwrap_err(),
        Unreadable::OtherShape
    );
    let mut bytes = golden_bytes();
    *bytes.last_mut().unwrap() ^= 1;
    assert_eq!(read(&bytes).unwrap_err(), Unreadable::Checksum);
}

#[test]
fn every_truncation_is_unreadable() {
    let bytes = golden_bytes();
    for len in 0..bytes.len() {
        assert!(read(&bytes[..len]).is_err(), "{len}");
    }
    assert!(read(&[&bytes[..], &[0]].concat()).is_err());
}

#[test]
fn every_changed_byte_is_unreadable() {
    let bytes = golden_bytes();
    for at in 0..bytes.len() {
        for mask in 1..=255 {
            let mut changed = bytes.clone();
            changed[at] ^= mask;
            assert!(read(&changed).is_err(), "byte {at} with {mask:#x}");
        }
    }
}

#[test]
fn any_bytes_are_read_without_a_panic() {
    // A multiplicative generator: replayable, and no dependency for it.
    let mut state = 1_u64;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize
    };
    let golden = golden_bytes();
    for _ in 0..100_000 {
        let noise: Vec<u8> = (0..next() % 200).map(|_| next() as u8).collect();
        assert!(read(&noise).is_err());
        if noise.len() >= HEADER {
            // With a right checksum it gets as far as it can.
            let mut begun = noise;
            begun[..TAG_COUNT].copy_from_slice(&golden[..TAG_COUNT]);
            begun[KEY..CHECKSUM].copy_from_slice(&golden[KEY..CHECKSUM]);
            let begun = sealed(begun);
            if let Ok(stored) = read(&begun) {
                assert_eq!(
                    HEADER + stored.tags.len() * 8 + stored.payload.len(),
                    begun.len()
                );
            }
        }
    }
}
