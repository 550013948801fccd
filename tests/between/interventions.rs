//! What others do, and what becomes of the server, while a command is held. When this has
//! happened it has happened: whatever is acknowledged by then counts for every read that begins
//! afterwards.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use afresh::testing;

use crate::scenarios::moves_on;
use crate::shop::Reader;
use crate::stage::{Stage, poll};

/// Part of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Meta,
    Tags,
    Records,
    Marks,
    /// And all entries and leases.
    Everything,
}

/// A change is one of the source, then an acknowledged invalidation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Intervention {
    Nothing,
    /// By another process.
    Changes,
    /// By the same process, which is bound by it as soon as it is acknowledged.
    ChangesItself,
    /// Another process computes, and stores where it may.
    Stores,
    ChangesAndStores,
    StoresAndChanges,
    /// A mutation of another process has committed, and has not ended.
    Commits,
    /// One is about to: it commits when all that was begun has come to its end.
    IsAboutToCommit,
    /// What was lost after, and before, a change.
    ChangesAndLoses(Part),
    LosesAndChanges(Part),
    /// What was lost after a change, and before another record.
    ChangesAndMovesOn(Part),
    /// The entry is evicted.
    EntryGone,
    /// The lease runs out, and another process computes and stores.
    LeaseTaken,
    /// The lease runs out.
    LeaseGone,
    /// The lease runs out, and another process computes under its own.
    LeaseHeld,
    ScriptsGone,
    /// Another process rotates the log, once and twice.
    Rotates(u8),
    /// Every connection is closed by the server.
    Kills,
    /// The connection is cut: what was held is lost.
    Cuts,
    /// Another server, without any data, is in its place.
    Restarts,
    /// Another server is in its place, with the data as it was before a change.
    ComesBack,
}

use Intervention as I;

pub(crate) const ALL: [Intervention; 31] = [
    I::Nothing,
    I::Changes,
    I::ChangesItself,
    I::Stores,
    I::ChangesAndStores,
    I::StoresAndChanges,
    I::Commits,
    I::IsAboutToCommit,
    I::ChangesAndLoses(Part::Meta),
    I::ChangesAndLoses(Part::Tags),
    I::ChangesAndLoses(Part::Records),
    I::ChangesAndLoses(Part::Marks),
    I::ChangesAndLoses(Part::Everything),
    I::LosesAndChanges(Part::Meta),
    I::LosesAndChanges(Part::Tags),
    I::LosesAndChanges(Part::Records),
    I::LosesAndChanges(Part::Marks),
    I::LosesAndChanges(Part::Everything),
    I::ChangesAndMovesOn(Part::Tags),
    I::ChangesAndMovesOn(Part::Records),
    I::EntryGone,
    I::LeaseTaken,
    I::LeaseGone,
    I::LeaseHeld,
    I::ScriptsGone,
    I::Rotates(1),
    I::Rotates(2),
    I::Kills,
    I::Cuts,
    I::Restarts,
    I::ComesBack,
];

impl Intervention {
    /// How many more computes it is a reason for, where a lease allows one; nothing where that
    /// cannot be said.
    pub(crate) fn adds(self) -> Option<u64> {
        match self {
            I::Nothing | I::Stores => Some(0),
            I::Changes => Some(1),
            _ => None,
        }
    }

    /// Whether what is held may get lost with its connection: a lease that it was to free then runs
    /// out by itself.
    pub(crate) fn may_lose_a_release(self) -> bool {
        matches!(
            self,
            I::Kills | I::Cuts | I::Restarts | I::ComesBack | I::ScriptsGone
        )
    }

    pub(crate) async fn act(self, stage: &Arc<Stage>) {
        let b = &stage.b;
        match self {
            I::Nothing => {}
            I::Changes => b.change().await,
            I::ChangesItself => {
                if stage.a.get().is_none() {
                    return;
                }
                let own = Arc::clone(stage);
                stage
                    .beside(async move {
                        own.a().change().await;
                        own.read(own.a(), 1, "after its own change").await;
                    })
                    .await;
            }
            I::Stores => stores(stage).await,
            I::ChangesAndStores => {
                b.change().await;
                stores(stage).await;
            }
            I::StoresAndChanges => {
                stores(stage).await;
                b.change().await;
            }
            I::Commits => begins(stage, false).await,
            I::IsAboutToCommit => begins(stage, true).await,
            I::ChangesAndLoses(part) => {
                b.change().await;
                lose(stage, part);
            }
            I::LosesAndChanges(part) => {
                lose(stage, part);
                b.change().await;
            }
            I::ChangesAndMovesOn(part) => {
                b.change().await;
                lose(stage, part);
                moves_on(stage).await;
            }
            I::EntryGone => stage.delete('e'),
            I::LeaseTaken => {
                stage.delete('l');
                stores(stage).await;
            }
            I::LeaseGone => stage.delete('l'),
            I::LeaseHeld => {
                stage.delete('l');
                let body = &b.body;
                if !body.entered.load(Ordering::SeqCst) {
                    body.waits.store(true, Ordering::SeqCst);
                    stores(stage).await;
                    body.waits.store(false, Ordering::SeqCst);
                }
            }
            I::ScriptsGone => {
                stage.server.cli(&["SCRIPT", "FLUSH"]);
                b.change().await;
            }
            I::Rotates(times) => {
                b.change().await;
                for _ in 0..times {
                    rotate(stage).await;
                }
            }
            I::Kills => {
                stage.server.cli(&["CLIENT", "KILL", "TYPE", "normal"]);
                b.change().await;
            }
            I::Cuts => {
                b.change().await;
                stage.gate.cut();
            }
            I::Restarts => {
                b.change().await;
                stage.server.restart();
                b.change().await;
            }
            I::ComesBack => {
                stage.server.cli(&["SAVE"]);
                b.change().await;
                stage.server.restart();
            }
        }
    }
}

/// Where another leads, this waits for it: beside what else happens, and to its end where it can.
async fn stores(stage: &Arc<Stage>) {
    // Where a call of the same process waits for the lease already, this one waits with it.
    let denied = Stage::denied(&stage.b);
    let joins = denied > 0;
    let (ended, other) = (Arc::<AtomicBool>::default(), Arc::clone(stage));
    let ends = Arc::clone(&ended);
    stage
        .beside(async move {
            other.read(&other.b, 1, "that stores").await;
            ends.store(true, Ordering::SeqCst);
        })
        .await;
    poll("a read by another", || {
        let ended = ended.load(Ordering::SeqCst);
        let held = stage.b.body.entered.load(Ordering::SeqCst);
        ended || joins || held || Stage::denied(&stage.b) > denied
    })
    .await;
}

/// One that knows nothing looks at what is stored.
pub(crate) async fn late(stage: &Stage, when: &str) {
    let late = stage.late().await;
    stage.peek(&late, 1, when).await;
}

/// A mutation begins, whose mark stands and whose body waits, before or after its commit; it ends
/// with the cell. Not where a compute of that process's is held already: that just changes something.
async fn begins(stage: &Arc<Stage>, hesitates: bool) {
    let body = &stage.b.body;
    if body.entered.load(Ordering::SeqCst) {
        return stage.b.change().await;
    }
    let waits = if hesitates {
        &body.hesitates
    } else {
        &body.waits
    };
    waits.store(true, Ordering::SeqCst);
    let other = Arc::clone(stage);
    stage.beside(async move { other.b.reprice().await }).await;
    poll("the mutation's body", || {
        body.entered.load(Ordering::SeqCst)
    })
    .await;
}

/// A mutation that was about to commit does.
pub(crate) async fn commit(stage: &Stage) {
    let (source, body) = (&stage.source, &stage.b.body);
    let before = source.now.load(Ordering::SeqCst);
    body.go.notify_one();
    poll("the mutation's commit", || {
        source.now.load(Ordering::SeqCst) > before && body.entered.load(Ordering::SeqCst)
    })
    .await;
}

fn lose(stage: &Stage, part: Part) {
    match part {
        Part::Meta => del(stage, "log"),
        Part::Tags => {
            del(stage, "tags:0");
            del(stage, "tags:1");
        }
        Part::Records => del(stage, "records"),
        Part::Marks => del(stage, "marks"),
        Part::Everything => {
            stage.server.cli(&["FLUSHALL"]);
        }
    }
}

fn del(stage: &Stage, part: &str) {
    stage.server.cli(&["DEL", &stage.log(part)]);
}

/// By the heartbeat of the other process, which its clock says is due.
async fn rotate(stage: &Stage) {
    let current = || stage.server.cli(&["HGET", &stage.log("log"), "current"]);
    let before = current();
    stage.server.cli(&["HSET", &stage.log("log"), "due", "0"]);
    let Reader { cache, .. } = &stage.b;
    testing::advance(cache, Duration::from_secs(1));
    // Wakes the driver.
    moves_on(stage).await;
    poll("the rotation", || current() != before).await;
}
