//! A lifetime that is not spelled is for rustc to find.

use std::time::Duration;

use afresh::{Background, Policy, cached};

const SWIFT: Policy<Background> = Policy::new().stale_for(Duration::from_secs(60));

struct Session<'a>(&'a str);

impl Session<'_> {
    #[cached(ttl = 60, key = "{self.0}", policy = SWIFT)]
    async fn size(self) -> usize {
        self.0.len()
    }
}

fn main() {
    let _ = Session("").size();
}
