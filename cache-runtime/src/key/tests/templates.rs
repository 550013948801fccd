//! Template values: the fast ways and `Display` write the same text, percent-encoded.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use super::super::{KeyWriter, Text};
use super::text;

/// Hides a type, so that only its `Display` is left.
struct Shown<T>(T);

impl<T: fmt::Display> fmt::Display for Shown<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

macro_rules! same {
    ($value:expr) => {{
        let value = $value;
        let fast = text(|k| Text(&value).write(k));
        assert_eq!(fast, text(|k| Text(&Shown(&value)).write(k)));
        fast
    }};
}

#[test]
fn integers_are_decimal() {
    let mut number = 0_u64;
    for digit in (0..20).map(|at| at % 9 + 1) {
        for near in [
            number.wrapping_sub(1),
            number,
            number.wrapping_add(1),
            number / 7 * 10,
        ] {
            assert_eq!(same!(near), near.to_string());
            assert_eq!(same!(near.cast_signed()), near.cast_signed().to_string());
            assert_eq!(same!(near as u32), (near as u32).to_string());
            assert_eq!(same!(near as i32), (near as i32).to_string());
            assert_eq!(same!(near as usize), (near as usize).to_string());
            let signed = (near as usize).cast_signed();
            assert_eq!(same!(signed), signed.to_string());
        }
        number = number.wrapping_mul(10).wrapping_add(digit);
    }
    for power in 0..20 {
        let number = 10_u64.pow(power);
        for near in [number - 1, number, number + 1] {
            assert_eq!(same!(near), near.to_string());
        }
    }
    for extreme in [i64::MIN, i64::MIN + 1, -1, 0, 1, i64::MAX] {
        assert_eq!(same!(extreme), extreme.to_string());
    }
    for number in 0..=u16::MAX {
        assert_eq!(text(|k| Text(&number).write(k)), number.to_string());
        let signed = number.cast_signed();
        assert_eq!(text(|k| Text(&signed).write(k)), signed.to_string());
    }
    for number in 0..=u8::MAX {
        assert_eq!(same!(number), number.to_string());
        assert_eq!(
            same!(number.cast_signed()),
            number.cast_signed().to_string()
        );
    }
    assert_eq!(same!(u64::MAX), u64::MAX.to_string());
    assert_eq!(same!(u128::MAX), u128::MAX.to_string());
    assert_eq!(same!(i128::MIN), i128::MIN.to_string());
}

#[test]
fn text_is_percent_encoded() {
    let plain = "ABCXYZabcxyz0189_.-@+";
    assert_eq!(same!(plain), plain);
    assert_eq!(same!("a:b"), "a%3Ab");
    assert_eq!(same!("a%3Ab"), "a%253Ab");
    assert_eq!(same!("/~ {}\n"), "%2F%7E%20%7B%7D%0A");
    assert_eq!(same!("é"), "%C3%A9");
    assert_eq!(same!(""), "");
    assert_eq!(same!('é'), "%C3%A9");
    assert_eq!(same!('x'), "x");
    assert_eq!(same!(true), "true");
    assert_eq!(same!(false), "false");
    assert_eq!(same!(-0.5_f64), "-0.5");
    for byte in 0..=127_u8 {
        let c = char::from(byte);
        let plain = c.is_ascii_alphanumeric() || "_.-@+".contains(c);
        let expected = if plain {
            c.to_string()
        } else {
            format!("%{byte:02X}")
        };
        assert_eq!(same!(c), expected);
        // The odd byte at every place of a word.
        for at in 0..20 {
            let value = format!("{}{c}{}", "a".repeat(at), "b".repeat(20 - at));
            let expected = format!("{}{expected}{}", "a".repeat(at), "b".repeat(20 - at));
            assert_eq!(same!(value), expected);
        }
    }
}

#[test]
fn pointers_are_what_they_point_to() {
    let id = 7_i64;
    assert_eq!(same!(&&&id), "7");
    assert_eq!(same!(Box::new(id)), "7");
    assert_eq!(same!(Arc::<str>::from("a:b")), "a%3Ab");
    assert_eq!(same!(Cow::Borrowed("a:b")), "a%3Ab");
    assert_eq!(same!(String::from("a:b")), "a%3Ab");
    let mut name = String::from("x y");
    let name: &mut str = &mut name;
    assert_eq!(same!(name), "x%20y");
    let unsized_text: &str = "a";
    assert_eq!(text(|k| Text(unsized_text).write(k)), "a");
}

#[test]
fn generic_values_use_display() {
    fn write<T: fmt::Display + ?Sized>(value: &T, key: &mut KeyWriter) {
        Text(value).write(key);
    }
    fn write_impl(value: impl fmt::Display, key: &mut KeyWriter) {
        Text(&value).write(key);
    }
    assert_eq!(text(|k| write(&-12, k)), "-12");
    assert_eq!(text(|k| write("a b", k)), "a%20b");
    assert_eq!(text(|k| write_impl("a b", k)), "a%20b");
    assert_eq!(text(|k| write(&12 as &dyn fmt::Display, k)), "12");
}
