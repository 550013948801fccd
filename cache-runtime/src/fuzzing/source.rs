//! Decisions out of bytes: each takes what it needs from the front, and zeros where nothing is left,
//! so that any bytes are a whole history.

/// Bytes to decide by.
pub(crate) struct Source<'a>(&'a [u8]);

impl<'a> Source<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn byte(&mut self) -> u8 {
        let Some((&first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        first
    }

    /// A number below this one, which is not 0.
    pub(crate) fn below(&mut self, end: u8) -> u8 {
        self.byte() % end
    }

    /// One time in four.
    pub(crate) fn rarely(&mut self) -> bool {
        self.byte() % 4 == 3
    }

    pub(crate) fn number(&mut self) -> u64 {
        let mut number = [0; 8];
        number.fill_with(|| self.byte());
        u64::from_le_bytes(number)
    }

    /// Up to this many bytes.
    pub(crate) fn bytes(&mut self, most: usize) -> &'a [u8] {
        let (first, rest) = self.0.split_at(most.min(self.0.len()));
        self.0 = rest;
        first
    }

    /// A text of up to 31 bytes.
    pub(crate) fn text(&mut self) -> String {
        let length = self.below(32).into();
        String::from_utf8_lossy(self.bytes(length)).into_owned()
    }
}
