//! One attempt, and what must hold after it: nothing is left of a future that was dropped, the next
//! calls work, what was changed is seen, and the counters add up.

use std::rc::Rc;
use std::time::Duration;

use afresh::Stats;
use afresh::testing::{Left, idle};
use afresh_test_support::until;

use crate::harness::{Cut, End, Way, drive, guard};
use crate::stage::{Backend, Does, Scene, Stage};

/// Figures that are counted up.
#[derive(Debug, Default)]
struct Counted {
    /// Calls that were answered, each once.
    answered: u64,
    computed: u64,
    /// What became of what bodies returned.
    settled: u64,
    hits: u64,
    invalidations: u64,
    /// What nothing here is a reason for.
    faults: u64,
    /// Bodies that have returned.
    ended: u64,
}

impl Counted {
    fn of(stage: &Stage) -> Self {
        let sum = |figure: fn(&Stats) -> u64| stage.sum(figure);
        let hits = sum(|stats| stats.hits_local + stats.hits_shared);
        let computed = sum(|stats| stats.computed + stats.bypassed);
        Self {
            answered: hits
                + computed
                + sum(|stats| stats.stale + stats.coalesced + stats.timed_out),
            computed,
            settled: sum(|stats| stats.stored + stats.not_stored + stats.refused + stats.failed)
                + sum(|stats| stats.bypassed),
            hits,
            invalidations: sum(|stats| stats.invalidations),
            faults: sum(|stats| stats.wait_timeouts + stats.store_errors + stats.unreadable)
                + sum(|stats| stats.unguarded + stats.skipped_refreshes),
            ended: stage.source.ended(),
        }
    }

    fn since(self, before: &Self) -> Self {
        Self {
            answered: self.answered - before.answered,
            computed: self.computed - before.computed,
            settled: self.settled - before.settled,
            hits: self.hits - before.hits,
            invalidations: self.invalidations - before.invalidations,
            faults: self.faults - before.faults,
            ended: self.ended - before.ended,
        }
    }
}

/// What is left in a cache; and of the waits of all, where these are the only ones.
fn own(scene: &Scene, mut left: Left) -> Left {
    if scene.calls < 2 {
        left.waits = 0;
    }
    left
}

/// Makes one attempt, and checks what is left of it.
pub(crate) async fn attempt<B: Backend>(backend: &B, scene: &Scene, stage: Stage, cut: Cut) -> End {
    let stage = Rc::new(stage);
    guard("before", (scene.before)(Rc::clone(&stage), scene.read)).await;
    let before = Counted::of(&stage);
    stage.returned.set(0);
    stage.dropped.set(0);
    if cut.way == Way::Panicked {
        stage.source.panics_at(cut.at);
    }
    let end = drive((scene.run)(&stage), cut, |is_stuck| {
        (scene.goes_on)(&stage, is_stuck);
    })
    .await;
    if end == End::Ended {
        stage.returned.set(stage.returned.get() + scene.calls);
    } else {
        stage.dropped.set(stage.dropped.get() + scene.calls);
    }
    let companion = stage.companion.take();
    if companion.is_none() && !scene.behind {
        for left in stage.left() {
            let left = own(scene, left);
            let held = (left.flights, left.waits, left.leases, left.watched);
            assert_eq!(held, (0, 0, 0, 0), "it is held on to: {left:?}");
        }
    }
    stage.source.takes(Duration::ZERO);
    stage.source.panics_at(0);
    stage.source.release();

    // The next call, while what the dropped one has left is on its way.
    let is_next_elsewhere = cut.at % 2 == 1 && scene.does == Does::Reads;
    let next = if is_next_elsewhere {
        &stage.two
    } else {
        &stage.one
    };
    let value = guard("the next call", stage.read(scene.read, next)).await;
    is_fresh(scene, &stage, value, "the next call");
    if let Some(companion) = companion {
        match guard("the companion", companion).await {
            Ok(value) => {
                stage.returned.set(stage.returned.get() + 1);
                is_fresh(scene, &stage, value, "the companion");
            }
            Err(_) => stage.dropped.set(stage.dropped.get() + 1),
        }
    }
    at_rest(&stage).await;
    if scene.behind {
        // For a second, nobody asks again for what is being computed elsewhere.
        stage.source.passes(Duration::from_secs(2));
    }
    // After a panic in the background, the next try is put off.
    let is_stored = scene.stores && !(scene.behind && cut.way == Way::Panicked);
    for round in ["first", "second"] {
        for (which, cache) in [("one", &stage.one), ("two", &stage.two)] {
            let hits = Counted::of(&stage).hits;
            let value = guard(which, stage.read(scene.read, cache)).await;
            is_fresh(scene, &stage, value, which);
            let is_hit = Counted::of(&stage).hits == hits + 1;
            assert!(
                is_hit || round == "first" || !is_stored,
                "{which}: it is not stored"
            );
        }
    }
    at_rest(&stage).await;
    for left in stage.left() {
        assert_eq!(own(scene, left), Left::default(), "it is left behind");
    }
    for stats in stage.stats() {
        let under_way = (stats.owed, stats.marks, stats.background);
        assert_eq!(under_way, (0, 0, 0), "{stats:?}");
    }
    adds_up::<B>(scene, &stage, &before, end);
    backend.check();
    end
}

/// Waits until what nobody waits for is done.
async fn at_rest(stage: &Stage) {
    guard("the background of one", idle(&stage.one)).await;
    guard("the background of two", idle(&stage.two)).await;
    let is_done = async || {
        let is_told = |left: &Left| (left.errands, left.debts, left.marks) == (0, 0, 0);
        let is_owed = |stats: &Stats| (stats.owed, stats.marks) != (0, 0);
        stage.left().iter().all(is_told) && !stage.stats().iter().any(is_owed)
    };
    guard("what is owed", until("nothing is owed", is_done)).await;
}

fn is_fresh(scene: &Scene, stage: &Stage, value: u64, who: &str) {
    let now = stage.source.value();
    // A value that was put may not have come to be stored.
    let oldest = if scene.does == Does::Replaces { 1 } else { now };
    assert!(
        (oldest..=now).contains(&value),
        "{who}: read {value} where the source has {now}"
    );
}

fn adds_up<B: Backend>(scene: &Scene, stage: &Stage, before: &Counted, end: End) {
    let counted = Counted::of(stage).since(before);
    let (returned, dropped) = (stage.returned.get(), stage.dropped.get());
    // What is read may take calls of its own.
    let all = returned * scene.calls.max(1) + dropped;
    assert!(
        (returned..=all).contains(&counted.answered),
        "each call is counted once: {counted:?}; {returned} returned, {dropped} dropped"
    );
    if !B::LOSES {
        assert_eq!(counted.faults, 0, "{counted:?} {:?}", stage.stats());
    }
    if scene.calls == 1 && !scene.behind {
        assert_eq!(counted.computed, counted.ended, "{counted:?}");
    }
    let bodies = if scene.behind {
        counted.ended
    } else {
        counted.computed
    };
    if scene.does != Does::Replaces {
        // Of one that is dropped on its way into the store, nobody here hears what became.
        let unknown = bodies.checked_sub(counted.settled);
        assert!(
            unknown.is_some_and(|unknown| unknown <= dropped),
            "{counted:?}; {dropped} dropped"
        );
        if scene.does == Does::Reads && scene.calls == 1 && !scene.behind {
            // It counts for what it was, and no other call that was dropped counts at all.
            assert_eq!(
                unknown,
                Some(counted.answered - returned),
                "{counted:?}; {returned} returned"
            );
        }
    }
    let is_begun = end != End::Dropped(0);
    let records = match scene.does {
        Does::Changes => u64::from(is_begun),
        Does::GivesUp => u64::from(is_begun && end != End::Ended),
        Does::Reads | Does::Replaces => 0,
    };
    assert_eq!(counted.invalidations, records, "{counted:?}");
}
