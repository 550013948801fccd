//! The expansion (`p` is the hidden module, whose path is absolute) of:
//!
//! #[derive(KeyPart)]
//! enum Tree<T> {
//!     Empty,
//!     Leaf(T, u8),
//!     Inner { left: Box<Tree<T>>, right: Box<Tree<T>> },
//! }

#[automatically_derived]
impl<T> p::KeyPart for Tree<T>
where
    T: p::KeyPart,
{
    #[inline]
    fn encode(&self, key: &mut p::KeyWriter) {
        match self {
            Self::Empty { .. } => {
                p::KeyWriter::variant(key, "Empty");
                p::KeyWriter::unit(key);
            }
            Self::Leaf { 0: value0, 1: value1, .. } => {
                p::KeyWriter::variant(key, "Leaf");
                p::KeyWriter::tuple(key, 2);
                p::KeyWriter::part(key, value0);
                p::KeyWriter::part(key, value1);
            }
            Self::Inner { left: value0, right: value1, .. } => {
                p::KeyWriter::variant(key, "Inner");
                p::KeyWriter::structure(key, 2);
                p::KeyWriter::field(key, "left");
                p::KeyWriter::part(key, value0);
                p::KeyWriter::field(key, "right");
                p::KeyWriter::part(key, value1);
            }
        }
    }
}
