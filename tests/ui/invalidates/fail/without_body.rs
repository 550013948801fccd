//! A mutation that is only declared.

use afresh::invalidates;

trait Shop {
    #[invalidates(tags = ["books"])]
    fn f(&self);
}

fn main() {}
