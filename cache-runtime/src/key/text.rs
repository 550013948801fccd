//! Values in key templates: as their `Display` shows them, percent-encoded. Integers and clean
//! text go straight into words; the text is the same either way.

use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::ops::Deref;
use std::rc::Rc;
use std::sync::Arc;

use super::KeyWriter;

/// A template's value on its way into a key.
#[derive(Debug)]
pub struct Text<'a, T: ?Sized> {
    shown: Shown<'a, T>,
}

/// The same value without a fast way.
#[derive(Debug)]
pub struct Shown<'a, T: ?Sized>(&'a T);

/// Wraps a template's value; `.write(key)` on it takes the fastest way the type has.
#[expect(
    non_snake_case,
    reason = "an expansion reads as if it built the struct"
)]
#[inline]
pub fn Text<T: ?Sized>(value: &T) -> Text<'_, T> {
    Text {
        shown: Shown(value),
    }
}

// `write` exists on both, and a call prefers the first that applies: the expansion needs no trait
// in scope and no specialization.
impl<T: FastText + ?Sized> Text<'_, T> {
    /// Adds the value's text to the key.
    #[inline]
    pub fn write(&self, key: &mut KeyWriter) {
        self.shown.0.write_text(key);
    }
}

impl<'a, T: ?Sized> Deref for Text<'a, T> {
    type Target = Shown<'a, T>;

    fn deref(&self) -> &Shown<'a, T> {
        &self.shown
    }
}

impl<T: ?Sized> Shown<'_, T> {
    /// Adds the value's text to the key.
    // The bound is the method's, so that a type without `Display` is reported by its message.
    pub fn write(&self, key: &mut KeyWriter)
    where
        T: TemplatePart,
    {
        self.0.write_part(key);
    }
}

/// A value that can stand in a key template: any with a `Display`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot stand in a key template: it has no `Display`",
    label = "has no `Display`",
    note = "name a field that has it, as in `{{page.name}}`, or implement `Display`",
    note = "or write `key = (..)` with an expression whose value is a `KeyPart` instead of the template"
)]
pub trait TemplatePart {
    /// Adds the value's text to the key.
    fn write_part(&self, key: &mut KeyWriter);
}

#[diagnostic::do_not_recommend]
impl<T: fmt::Display + ?Sized> TemplatePart for T {
    fn write_part(&self, key: &mut KeyWriter) {
        write_display(&format_args!("{self}"), key);
    }
}

fn write_display(value: &fmt::Arguments<'_>, key: &mut KeyWriter) {
    struct Escaping<'a>(&'a mut KeyWriter);

    impl fmt::Write for Escaping<'_> {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            escape(self.0, text);
            Ok(())
        }
    }

    // Half of a text would be the key of another value, so this is what `to_string` does.
    Escaping(key)
        .write_fmt(*value)
        .expect("a `Display` implementation returned an error, though writing a key cannot fail");
}

/// A value whose text needs no formatter.
pub trait FastText {
    /// Adds what the value's `Display` would show.
    fn write_text(&self, key: &mut KeyWriter);
}

impl FastText for str {
    #[inline]
    fn write_text(&self, key: &mut KeyWriter) {
        escape(key, self);
    }
}

impl FastText for String {
    #[inline]
    fn write_text(&self, key: &mut KeyWriter) {
        escape(key, self);
    }
}

impl FastText for char {
    #[inline]
    fn write_text(&self, key: &mut KeyWriter) {
        escape(key, self.encode_utf8(&mut [0; 4]));
    }
}

impl FastText for bool {
    #[inline]
    fn write_text(&self, key: &mut KeyWriter) {
        key.literal(if *self { "true" } else { "false" });
    }
}

impl<T: FastText + ToOwned + ?Sized> FastText for Cow<'_, T> {
    #[inline]
    fn write_text(&self, key: &mut KeyWriter) {
        T::write_text(self, key);
    }
}

macro_rules! pointers {
    ($($pointer:ty),*) => {$(
        impl<T: FastText + ?Sized> FastText for $pointer {
            #[inline]
            fn write_text(&self, key: &mut KeyWriter) {
                T::write_text(self, key);
            }
        }
    )*};
}

pointers!(&T, &mut T, Box<T>, Rc<T>, Arc<T>);

macro_rules! integers {
    ($($integer:ty: |$value:ident| $negative:expr, $magnitude:expr;)*) => {$(
        impl FastText for $integer {
            #[inline]
            fn write_text(&self, key: &mut KeyWriter) {
                let $value = *self;
                if $negative {
                    key.append(u64::from(b'-'), 1);
                }
                decimal(key, $magnitude);
            }
        }
    )*};
}

integers! {
    u8: |it| false, it.into();
    u16: |it| false, it.into();
    u32: |it| false, it.into();
    u64: |it| false, it;
    usize: |it| false, it as u64;
    i8: |it| it < 0, it.unsigned_abs().into();
    i16: |it| it < 0, it.unsigned_abs().into();
    i32: |it| it < 0, it.unsigned_abs().into();
    i64: |it| it < 0, it.unsigned_abs();
    isize: |it| it < 0, it.unsigned_abs() as u64;
}

const EIGHT_DIGITS: u64 = 100_000_000;

/// Appends a number in decimal, without leading zeros.
#[inline]
fn decimal(key: &mut KeyWriter, number: u64) {
    if number < EIGHT_DIGITS {
        leading_digits(key, number);
    } else {
        long_decimal(key, number);
    }
}

#[inline(never)]
fn long_decimal(key: &mut KeyWriter, number: u64) {
    decimal(key, number / EIGHT_DIGITS);
    key.append(digits(number % EIGHT_DIGITS) | ZEROS, 8);
}

const ZEROS: u64 = 0x3030_3030_3030_3030;

#[inline]
fn leading_digits(key: &mut KeyWriter, number: u64) {
    let digits = digits(number);
    // The first digit is the lowest byte. The last stays, also when it is a zero.
    let zeros = (digits | 1 << 56).trailing_zeros() & !7;
    key.append((digits | ZEROS) >> zeros, 8 - (zeros / 8) as usize);
}

/// The eight digits of a number below 10⁸, one to a byte, the first lowest: split in halves three
/// times, all parts of a step in one multiplication (after Paul Khuong's `itoa`).
#[inline]
fn digits(number: u64) -> u64 {
    let halves = (number / 10_000) | (number % 10_000) << 32;
    let hundreds = ((halves * 10_486) >> 20) & 0x0000_007f_0000_007f;
    let pairs = ((halves - 100 * hundreds) << 16) + hundreds;
    let tens = ((pairs * 103) >> 10) & 0x000f_000f_000f_000f;
    ((pairs - 10 * tens) << 8) + tens
}

/// Appends a text with everything outside `A-Z a-z 0-9 _ . - @ +` percent-encoded.
#[inline]
pub(super) fn escape(key: &mut KeyWriter, text: &str) {
    // Without a branch for each byte, so that whole vectors are looked at.
    if text
        .bytes()
        .fold(true, |clean, byte| clean & is_plain(byte))
    {
        key.bytes(text.as_bytes());
    } else {
        escape_slowly(key, text);
    }
}

#[cold]
#[inline(never)]
fn escape_slowly(key: &mut KeyWriter, text: &str) {
    for byte in text.bytes() {
        if is_plain(byte) {
            key.append(u64::from(byte), 1);
        } else {
            let [high, low] = hex(byte);
            key.append(u64::from_le_bytes([b'%', high, low, 0, 0, 0, 0, 0]), 3);
        }
    }
}

/// Whether a byte stands for itself in a template's value.
#[expect(
    clippy::needless_bitwise_bool,
    reason = "lazy operators are not vectorized"
)]
#[inline]
pub(super) fn is_plain(byte: u8) -> bool {
    // `@` is before `A`, and `-` before `.`.
    (byte.wrapping_sub(b'@') < 27)
        | (byte.wrapping_sub(b'a') < 26)
        | (byte.wrapping_sub(b'0') < 10)
        | (byte.wrapping_sub(b'-') < 2)
        | (byte == b'_')
        | (byte == b'+')
}

/// A byte in upper-case hexadecimal, as percent-encoding writes it.
pub(super) fn hex(byte: u8) -> [u8; 2] {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    [
        DIGITS[usize::from(byte >> 4)],
        DIGITS[usize::from(byte & 15)],
    ]
}
