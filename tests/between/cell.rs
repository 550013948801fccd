//! One cell: a scenario up to a point, an intervention there, and what must be true afterwards.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use afresh::Consistency;
use afresh_test_support::{Point, Server, until};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use crate::interventions::{Intervention, commit, late};
use crate::names::Names;
use crate::scenarios::Scenario;
use crate::stage::{GUARD, Stage, poll, runs};

/// Where a scenario is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spot {
    At(Point),
    /// In the first body of the subject's, which has read the source.
    Body,
}

/// What a cell came to.
pub(crate) struct Played {
    /// Whether its point was reached.
    pub(crate) reached: bool,
    pub(crate) failures: Vec<String>,
    /// The commands that were counted, by name.
    pub(crate) commands: Vec<String>,
}

/// A server, and what the cells on it run on.
pub(crate) struct Theatre {
    server: Arc<Server>,
    runtime: Runtime,
    prefix: &'static str,
    cells: usize,
}

impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(Point::Before(number)) => write!(f, "before {number}"),
            Self::At(Point::Answer(number)) => write!(f, "before the answer of {number}"),
            Self::At(Point::After(number)) => write!(f, "after the answer of {number}"),
            Self::Body => f.write_str("in the body"),
        }
    }
}

impl Theatre {
    pub(crate) fn open(prefix: &'static str) -> Self {
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(2).enable_all().build();
        Self {
            server: Arc::new(Server::start()),
            runtime: runtime.expect("a runtime"),
            prefix,
            cells: 0,
        }
    }

    pub(crate) fn play(
        &mut self,
        scenario: &'static Scenario,
        spot: Option<Spot>,
        intervention: Intervention,
    ) -> Played {
        self.cells += 1;
        let prefix = format!("{}{}", self.prefix, self.cells);
        let server = Arc::clone(&self.server);
        self.server.cli(&["FLUSHALL"]);
        self.runtime.block_on(async {
            let stage = Stage::set(server, prefix, scenario).await;
            play(&stage, scenario, spot, intervention).await
        })
    }
}

async fn play(
    stage: &Arc<Stage>,
    scenario: &Scenario,
    spot: Option<Spot>,
    intervention: Intervention,
) -> Played {
    (scenario.prepare)(Arc::clone(stage)).await;
    let mut names = Names::default();
    names.learn(&stage.gate.seen());
    let point = match spot {
        Some(Spot::At(point)) => Some(point),
        Some(Spot::Body) | None => None,
    };
    if spot == Some(Spot::Body) {
        stage.a().body.waits.store(true, Ordering::SeqCst);
    }
    stage.gate.arm(point);
    let before = runs(stage);
    let ended = Arc::new(AtomicBool::new(false));
    let subject = tokio::spawn({
        let (play, stage, ended) = (
            (scenario.subject)(Arc::clone(stage)),
            Arc::clone(stage),
            Arc::clone(&ended),
        );
        async move {
            play.await;
            ended.store(true, Ordering::SeqCst);
            stage.gate.nudge();
        }
    });
    let is_in_body = || spot == Some(Spot::Body) && stage.a().body.entered.load(Ordering::SeqCst);
    let done = || ended.load(Ordering::SeqCst) || is_in_body();
    let reached = stage.gate.holds_before(done) || is_in_body();
    if reached {
        let could = may_store(stage, &names, spot);
        let acts = tokio::time::timeout(2 * GUARD, intervention.act(stage));
        if acts.await.is_err() {
            stage.fail("the intervention hangs".to_owned());
        }
        let lost = could == Some(true) && may_store(stage, &names, spot) == Some(false);
        meanwhile(stage).await;
        let others = lease_of_others(stage, &names, spot);
        stage.gate.release();
        if let Some(lease) = others
            && !intervention.may_lose_a_release()
        {
            stays(stage, spot, &lease).await;
        }
        if intervention == Intervention::LeaseHeld {
            stage.b.body.go.notify_one();
        }
        stage.a.get().inspect(|a| a.body.go.notify_one());
        settle(stage, subject, Some(intervention)).await;
        if lost {
            is_refused(stage, spot);
        }
    } else {
        stage.gate.release();
        settle(stage, subject, None).await;
    }
    names.learn(&stage.gate.seen());
    let commands = stage.gate.seen().iter().map(|one| names.of(one)).collect();
    let computed = runs(stage) - before;
    let most = scenario.computes.zip(intervention.adds());
    if let Some((usual, more)) = most
        && computed > usual + more
    {
        stage.fail(format!(
            "{computed} computes, {more} more than usual allowed"
        ));
    }
    afterwards(stage, scenario, intervention).await;
    let mut failures = stage.failures.lock().expect("no panic");
    Played {
        reached,
        failures: std::mem::take(&mut *failures),
        commands,
    }
}

/// Reads that begin while a command is held, and after what was acknowledged meanwhile. Others only
/// look: what they would store would hide from this process what it must not believe.
async fn meanwhile(stage: &Arc<Stage>) {
    if stage.a.get().is_some() {
        let own = Arc::clone(stage);
        stage
            .beside(async move {
                own.read(own.a(), 1, "meanwhile").await;
            })
            .await;
    }
    stage.peek(&stage.b, 1, "meanwhile").await;
    late(stage, "meanwhile").await;
}

/// All that was begun comes to its end.
async fn settle(stage: &Arc<Stage>, subject: JoinHandle<()>, intervention: Option<Intervention>) {
    match tokio::time::timeout(2 * GUARD, subject).await {
        Err(_) => stage.fail("the subject hangs".to_owned()),
        Ok(Err(error)) => stage.fail(format!("the subject: {error}")),
        Ok(Ok(())) => {}
    }
    let is_about_to = intervention == Some(Intervention::IsAboutToCommit);
    if is_about_to && stage.b.body.entered.load(Ordering::SeqCst) {
        commit(stage).await;
        for reader in stage.a.get().into_iter().chain([&stage.b]) {
            stage.peek(reader, 1, "under the mark").await;
        }
    }
    if is_about_to || intervention == Some(Intervention::Commits) {
        // It has not ended.
        late(stage, "under the mark").await;
    }
    // A mutation that has committed, or a leader that was left waiting.
    stage.b.body.go.notify_one();
    loop {
        let next = stage.beside.lock().expect("no panic").pop();
        let Some(task) = next else { return };
        match tokio::time::timeout(2 * GUARD, task).await {
            Err(_) => stage.fail("what went on beside it hangs".to_owned()),
            Ok(Err(error)) => stage.fail(format!("what went on beside it: {error}")),
            Ok(Ok(())) => {}
        }
    }
}

/// Whether the fill that is held back, if it is one, may store: by its token, if it has one; else
/// where nothing newer is stored.
fn may_store(stage: &Stage, names: &Names, spot: Option<Spot>) -> Option<bool> {
    let Some(Spot::At(Point::Before(number))) = spot else {
        return None;
    };
    let seen = stage.gate.seen();
    let fill = seen.get(number - 1).filter(|one| names.of(one) == "fill")?;
    let [_, _, _, entry, lease, token, log, version, ..] = &fill.words[..] else {
        return None;
    };
    if token.is_empty() {
        let header = stage.server.command(&[b"GETRANGE", entry, b"8", b"31"]);
        let newer = |header: Vec<u8>| {
            let (of, at) = header.split_at_checked(16)?;
            Some(of == log && at > version.as_slice())
        };
        return Some(header.bytes().and_then(newer) != Some(true));
    }
    let lease = stage.server.command(&[b"GET", lease]).bytes();
    let held = [&b"L"[..], token].concat();
    Some(lease.is_some_and(|lease| lease.starts_with(&held)))
}

/// A leader that has lost its lease cannot commit, nor anyone what is older than what is stored.
fn is_refused(stage: &Stage, spot: Option<Spot>) {
    let Some(Spot::At(Point::Before(number))) = spot else {
        return;
    };
    let fill = stage.gate.seen()[number - 1].clone();
    // What the script says of a lease that is lost, and of what is superseded.
    let refused = if fill.words[5].is_empty() {
        b":2\r\n"
    } else {
        b":0\r\n"
    };
    if fill
        .answer
        .is_some_and(|answer| answer.starts_with(b":") && answer != refused)
    {
        stage.fail("what may not be stored any more has been stored".to_owned());
    }
}

/// The lease that a command is about, by key and content, if it is one by a token that has lost it
/// to another's.
fn lease_of_others(stage: &Stage, names: &Names, spot: Option<Spot>) -> Option<[Vec<u8>; 2]> {
    let Some(Spot::At(Point::Before(number))) = spot else {
        return None;
    };
    let seen = stage.gate.seen();
    let held = seen.get(number - 1)?;
    let (("fill", [_, _, _, _, lease, token, ..])
    | ("release" | "renew", [_, _, _, lease, token, ..])) = (&*names.of(held), &held.words[..])
    else {
        return None;
    };
    let content = stage.server.command(&[b"GET", lease]).bytes()?;
    let own = [&b"L"[..], token].concat();
    let is_others = content.starts_with(b"L") && !token.is_empty() && !content.starts_with(&own);
    is_others.then(|| [lease.clone(), content])
}

/// What was held has been done, and another's lease is as it was.
async fn stays(stage: &Stage, spot: Option<Spot>, [lease, content]: &[Vec<u8>; 2]) {
    let Some(Spot::At(Point::Before(number))) = spot else {
        return;
    };
    let answered = || stage.gate.seen()[number - 1].answer.is_some();
    poll("the answer to what was held", answered).await;
    let held = stage.gate.seen()[number - 1].clone();
    let now = stage.server.command(&[b"GET", lease]).bytes();
    let is_as_it_was = match held.words.len() {
        // A renewal leaves what is there, and says whether it was its own.
        6 => held.answer.as_deref() == Some(b":0\r\n"),
        7 => now.as_ref() == Some(content),
        // It may have run out meanwhile.
        _ => now.is_none_or(|now| now == *content),
    };
    if !is_as_it_was {
        stage.fail("another's lease is not what it was".to_owned());
    }
}

/// Nothing is owed, held or marked any more, and nobody reads what is older than it may be.
async fn afterwards(stage: &Arc<Stage>, scenario: &Scenario, intervention: Intervention) {
    let readers = || stage.a.get().into_iter().chain([&stage.b]);
    let all_paid = || readers().all(|reader| reader.cache.stats().owed == 0);
    poll("the debts", all_paid).await;
    // Before anyone stores anything else.
    stage.peek(&stage.b, 1, "in the end").await;
    late(stage, "in the end").await;
    for reader in readers() {
        stage.read(reader, 1, "in the end").await;
    }
    if scenario.consistency == Consistency::Bounded {
        let acknowledged = stage.source.acknowledged.load(Ordering::SeqCst);
        let noted = until("the note", async || {
            scenario.kind.read(stage.a(), 1).await >= acknowledged
        });
        if tokio::time::timeout(GUARD, noted).await.is_err() {
            stage.fail(format!("A never reads {acknowledged}"));
        }
    }
    for reader in readers() {
        stage.read(reader, 1, "once more").await;
    }
    let marks = || {
        let marks = stage.server.cli(&["HLEN", &stage.log("marks")]);
        ["0", "1"].contains(&&*marks)
    };
    poll("the end of the marks", marks).await;
    if !intervention.may_lose_a_release() {
        poll("the end of the leases", || stage.keys('l').is_empty()).await;
    }
}

/// The commands as they are shown.
pub(crate) fn shown(commands: &[String]) -> String {
    let numbered = commands.iter().enumerate();
    let numbered = numbered.map(|(at, name)| format!("{} {name}", at + 1));
    numbered.collect::<Vec<_>>().join(", ")
}
