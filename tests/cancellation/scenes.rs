//! Every public future, where its entry is in each state that makes a difference: what is there
//! before, and who else is at work.

use std::rc::Rc;
use std::time::Duration;

use afresh::testing::left;
use afresh::{Cache, Outcome, Tier, outcome};
use afresh_test_support::until;

use crate::harness::Local;
use crate::shop::{Failed, plain, unstored};
use crate::stage::{Does, Read, Scene, Stage};

/// A [`Read`] by the name of its function.
macro_rules! read {
    ($function:path) => {
        |cache, source, id| {
            let (cache, source) = (cache.clone(), source.clone());
            Box::pin(async move { Value::from($function(&cache, &source, id).await).0 })
        }
    };
}

/// A future of a scene: the caches and the rest as its own.
macro_rules! run {
    (|$cache:ident, $source:ident, $id:ident| $body:expr) => {
        |stage| {
            let ($cache, $source, $id) = stage.parts();
            Box::pin(async move {
                let _ = $body;
            })
        }
    };
}

mod calls;
mod changes;
mod entries;
mod policies;

pub(crate) use calls::{CALLS, CONTENDED, NESTED};
pub(crate) use changes::CHANGES;
pub(crate) use entries::ENTRIES;
pub(crate) use policies::POLICIES;

/// What a function returns, as a number: what fails, has nothing to be fresh.
struct Value(u64);

impl From<u64> for Value {
    fn from(value: u64) -> Self {
        Self(value)
    }
}

impl From<Result<u64, Failed>> for Value {
    fn from(value: Result<u64, Failed>) -> Self {
        Self(value.unwrap_or(1))
    }
}

// What is there before

fn nothing(_: Rc<Stage>, _: Read) -> Local<()> {
    Box::pin(async {})
}

/// Both have it.
fn stored(stage: Rc<Stage>, read: Read) -> Local<()> {
    Box::pin(async move {
        stage.read(read, &stage.one).await;
        stage.read(read, &stage.two).await;
    })
}

/// Only the other has it.
fn stored_elsewhere(stage: Rc<Stage>, read: Read) -> Local<()> {
    Box::pin(async move {
        stage.read(read, &stage.two).await;
    })
}

fn aged(stage: Rc<Stage>, read: Read, minutes: u64) -> Local<()> {
    Box::pin(async move {
        stage.read(read, &stage.one).await;
        stage.source.passes(Duration::from_mins(minutes));
        believes(&stage).await;
    })
}

/// What it has of the log is believed again, with the next sign of life.
async fn believes(stage: &Stage) {
    let (cache, source, _) = stage.parts();
    let told = cache.invalidate(["a sign of life"]).await;
    told.expect("acknowledged");
    let another = u64::MAX;
    until("it is believed", async || {
        let (_, how) = outcome(plain(&cache, &source, another)).await;
        how == Outcome::Hit(Tier::Local)
    })
    .await;
}

fn stale(stage: Rc<Stage>, read: Read) -> Local<()> {
    aged(stage, read, 61)
}

fn due(stage: Rc<Stage>, read: Read) -> Local<()> {
    aged(stage, read, 55)
}

/// It is stale, and computing it takes longer than its callers wait.
fn stale_and_late(stage: Rc<Stage>, read: Read) -> Local<()> {
    Box::pin(async move {
        stale(Rc::clone(&stage), read).await;
        late(stage, read).await;
    })
}

/// Bodies take longer than a third of their lease at each await.
fn slow(stage: Rc<Stage>, _: Read) -> Local<()> {
    stage.source.takes(Duration::from_mins(25));
    Box::pin(async {})
}

/// Bodies take longer than their callers wait, from their second await on.
fn late(stage: Rc<Stage>, _: Read) -> Local<()> {
    stage.source.takes(Duration::from_millis(600));
    Box::pin(async {})
}

/// Another call of this process leads, and stands in its body.
fn led(stage: Rc<Stage>, read: Read) -> Local<()> {
    Box::pin(async move { leads(&stage, &stage.one, read).await })
}

/// A call of the other process leads, and stands in its body.
fn led_elsewhere(stage: Rc<Stage>, read: Read) -> Local<()> {
    Box::pin(async move { leads(&stage, &stage.two, read).await })
}

async fn leads(stage: &Stage, cache: &Cache, read: Read) {
    stage.source.hold();
    let call = read(cache, &stage.source, stage.id);
    stage.accompany(call);
    stage.source.begun().await;
}

// What others do meanwhile

fn nobody(_: &Stage, _: bool) {}

/// The body that stands goes on, once it is waited for.
fn released(stage: &Stage, is_stuck: bool) {
    if is_stuck {
        stage.source.release();
    }
}

/// The call that leads is dropped, once it is waited for; the next body does not stand.
fn abandoned(stage: &Stage, is_stuck: bool) {
    if !is_stuck {
        return;
    }
    if let Some(companion) = stage.companion.borrow().as_ref() {
        companion.abort();
    }
    stage.source.release();
}

/// Another call follows, once there is something to follow.
fn followed(stage: &Stage, _: bool) {
    if stage.companion.borrow().is_none() && left(&stage.one).flights > 0 {
        let (cache, source, id) = stage.parts();
        stage.accompany(Box::pin(async move { unstored(&cache, &source, id).await }));
    }
}

/// A scene in which a function is called, and nothing more.
const CALL: Scene = Scene {
    name: "",
    before: nothing,
    run: run!(|cache, source, id| plain(&cache, &source, id).await),
    goes_on: nobody,
    read: read!(plain),
    does: Does::Reads,
    calls: 1,
    awaits: 2,
    operations: 0,
    behind: false,
    stores: true,
};
