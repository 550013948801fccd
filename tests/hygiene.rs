//! Bodies, arguments and expressions that use every name that the expansions use: none of them
//! sees what is generated, and what is generated sees none of them.

#![deny(warnings)]

use std::time::Duration;

use afresh::{Background, Policy, cached, invalidates};

/// What an expansion names through absolute paths, shadowed by modules.
mod shadowed {
    #![expect(unused_imports, reason = "they only have to be in scope")]
    #![expect(unused_macros, reason = "they only have to be in scope")]
    #![expect(dead_code, reason = "they only have to be in scope")]

    use super::{cached, invalidates};

    mod core {}
    mod std {}
    mod alloc {}
    mod afresh {}
    mod __private {}
    use self::core as private;

    struct Spec;
    struct Mutation;
    struct When;
    struct Returns;
    struct Text;
    struct Duration;
    struct String;
    struct Box;
    enum Option {
        None,
        Some,
    }
    enum Result {
        Ok,
        Err,
    }
    use Option::{None, Some};
    use Result::{Err, Ok};

    struct Ruled;
    fn policy() {}
    fn recursive() {}
    fn enter() {}
    fn mutate() {}
    fn site() {}
    fn installed() {}
    fn cache() {}
    fn tag() {}
    fn never() {}

    macro_rules! file {
        () => {};
    }
    macro_rules! line {
        () => {};
    }
    macro_rules! format_args {
        () => {};
    }

    #[cached(
        ttl = 5,
        key = "{id}",
        tags = ["all", "one:{id}"],
        namespace = "shadowed",
        version = 1,
        singleflight,
        local,
        store_if = |v| *v > 0,
        result_tags = |v| ["v:{v}"]
    )]
    pub(super) async fn read(id: u32) -> u32 {
        id
    }

    #[cached(ttl = |v| ::std::time::Duration::from_secs(u64::from(*v)), key = "{id}", policy = super::SWIFT)]
    pub(super) async fn by_policy(id: &u32) -> u32 {
        *id
    }

    #[cached]
    pub(super) async fn by_arguments(id: u32) -> u32 {
        id
    }

    #[invalidates(tags = ["all", "one:{id}"], entries = [read(id)], namespaces = ["x"], when = always)]
    pub(super) async fn write(id: u32) {
        let _ = id;
    }
}

const SWIFT: Policy<Background> = Policy::new().stale_for(Duration::from_mins(1));

const K: u32 = 1;
const M: u32 = 2;
const START: u32 = 3;

/// The names of the locals are the user's, in the body and in each expression.
#[cached(
    ttl = Duration::from_secs(u64::from(k + m + plan + start + call)),
    key = (k, m, p, plan, start, call),
    tags = [format!("{k}{m}{plan}{start}{call}{p}")],
    store_if = |v| { let start = *v; start != k + call + plan }
)]
async fn arguments(k: u32, m: u32, p: u32, plan: u32, start: u32, call: u32) -> u32 {
    k + m * 10 + p * 100 + start * 1000 + call * 10_000 + plan * 100_000
}

#[cached(key = (done, finishing), result_tags = |finishing| ["{finishing}:{done}"])]
async fn of_the_value(done: u32, finishing: u32) -> u32 {
    done + finishing
}

/// With a policy too, of which the expansion has names of its own.
#[derive(Clone)]
struct Shop {
    policy: Policy<Background>,
    this: u32,
}

impl Shop {
    #[cached(
        key = (policy, this, plan),
        policy = self.policy,
        store_if = |done| *done > self.this + *this + *policy,
        ttl = |plan| Duration::from_secs(u64::from(*plan))
    )]
    async fn of_a_policy(&self, policy: &u32, this: &u32, mut plan: &u32, done: u32) -> u32 {
        let lend = || self.this;
        let own_plan = *plan;
        plan = this;
        lend() * 10_000 + *policy * 1000 + *plan * 100 + own_plan * 10 + done
    }
}

#[invalidates(result_tags = |done| ["{finishing}:{done}"])]
async fn from_the_value(done: u32, finishing: u32) -> u32 {
    done + finishing
}

#[cached(key = "{k}:{m}:{start}:{call}", tags = ["{start}"])]
async fn templates(k: u32, m: u32, start: u32, call: u32) -> u32 {
    k + m + start + call
}

#[cached]
async fn parts(k: u32, call: u32, start: u32) -> u32 {
    k + call + start
}

#[invalidates(tags = [format!("{m}")], entries = [parts(m, call, k)], namespaces = ["n"])]
async fn mutation(m: u32, call: u32, k: u32) -> u32 {
    m + call + k
}

/// The body's own items and locals, under the same names.
#[cached(ttl = 60)]
async fn locals() -> u32 {
    const SPEC: u32 = 1;
    struct Spec(u32);
    struct Returns;
    impl Returns {
        const NEW: u32 = 2;
    }
    mod core {
        pub(crate) const ONE: u32 = 1;
    }
    mod afresh {
        pub(crate) fn enter() -> u32 {
            1
        }
    }
    fn never() -> u32 {
        4
    }
    let (k, m, p, plan, start, call) = (1, 2, 3, 6, 4, 5);
    let Spec(spec) = Spec(SPEC);
    k + m + p + plan + start + call + spec + Returns::NEW + core::ONE + afresh::enter() + never()
}

/// Constants of the enclosing module are seen, not what is generated.
#[cached(ttl = 60, key = (K, (M, START)))]
async fn constants() -> u32 {
    K + M + START
}

/// What the arguments and the body share with a macro's own variables.
macro_rules! declared {
    ($start:ident, $k:ident) => {
        #[cached(key = "{start}:{k}")]
        async fn declared($start: u32, $k: u32) -> u32 {
            let call = $start;
            call + $k
        }
    };
}

declared!(start, k);

#[tokio::test]
async fn nothing_is_captured() {
    assert_eq!(
        (shadowed::read(3).await, shadowed::by_arguments(4).await),
        (3, 4)
    );
    shadowed::write(3).await;
    assert_eq!(shadowed::by_policy(&5).await, 5);
    let shop = Shop {
        policy: SWIFT,
        this: 1,
    };
    assert_eq!(shop.of_a_policy(&2, &3, &4, 5).await, 12_345);
    assert_eq!(arguments(1, 2, 3, 6, 4, 5).await, 654_321);
    assert_eq!((templates(1, 2, 3, 4).await, parts(1, 2, 3).await), (10, 6));
    assert_eq!(mutation(1, 2, 3).await, 6);
    assert_eq!(
        (of_the_value(1, 2).await, from_the_value(1, 2).await),
        (3, 3)
    );
    assert_eq!(locals().await, 30);
    assert_eq!(constants().await, 6);
    assert_eq!(declared(1, 2).await, 3);
}
