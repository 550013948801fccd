//! Bounds in place of those that are derived: for types that contain each other, for a parameter
//! that is in no key, for one that must do more.

use std::marker::PhantomData;

use afresh::KeyPart;

#[derive(KeyPart)]
#[key(bound = "T: KeyPart")]
struct Tree<T> {
    value: T,
    branches: Forest<T>,
}

#[derive(KeyPart)]
#[key(bound = "T: KeyPart")]
enum Forest<T> {
    None,
    Some(Vec<Tree<T>>),
}

trait Table {
    type Id;
}

#[derive(KeyPart)]
#[key(bound = "T: Table, T::Id: KeyPart,")]
struct Row<T: Table> {
    id: <T as Table>::Id,
}

#[derive(KeyPart)]
#[key(bound = "")]
struct Marked<T> {
    #[key(with = |_| ())]
    of: PhantomData<T>,
}

struct Books;

impl Table for Books {
    type Id = u32;
}

fn main() {
    fn part(_: impl KeyPart) {}
    part(Tree {
        value: 1,
        branches: Forest::Some(vec![Tree {
            value: 2,
            branches: Forest::None,
        }]),
    });
    part(Row::<Books> { id: 1 });
    part(Marked::<Books> { of: PhantomData });
}
