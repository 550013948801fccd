//! Return types without a name, in every place that they can stand in.

use std::fmt::Display;
use std::sync::Arc;

use afresh::invalidates;

#[invalidates(tags = ["books"])]
async fn bare(id: u32) -> impl Display {
    id
}

#[invalidates(tags = ["books"])]
fn in_parts(id: u32) -> (u32, [Option<impl Display>; 1]) {
    (id, [Some(id)])
}

#[invalidates(tags = ["books"])]
async fn in_a_box(id: u32) -> Result<Box<dyn Iterator<Item = impl Display> + Send>, Arc<str>> {
    Ok(Box::new(0..id))
}

#[invalidates(tags = ["books"], crash_safe(required))]
fn refusable(id: u32) -> Result<impl Display, afresh::Error> {
    Ok(id)
}

macro_rules! made {
    ($name:ident -> $output:ty) => {
        #[invalidates(tags = ["books"])]
        async fn $name() -> $output {
            1
        }
    };
}

made!(grouped -> impl Display);

fn is_send<T: Send>(_: T) {}

fn main() {
    is_send(bare(1));
    is_send(in_a_box(1));
    is_send(grouped());
    drop((in_parts(1), refusable(1)));
}
