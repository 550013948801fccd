//! A library's program: which behaviours it has rows for, its command line, and the time limit.
//!
//! `scoreboard-x --list` names the behaviours, one a line; `scoreboard-x --behaviour long-body`
//! asks one and writes the verdict. `--redis URL` names the server; without it the program starts
//! one of its own.

use std::cell::OnceCell;
use std::future::Future;
use std::pin::Pin;
use std::process::{Command, Stdio};
use std::rc::Rc;
use std::time::Duration;

use afresh_measure::{Found, Line, Verdict, option};
use afresh_test_support::Server;

use crate::list::Behaviour;

/// After this a behaviour is wrong, whatever it waits for.
const LIMIT: Duration = Duration::from_secs(30);

/// What was found, of a behaviour that a library has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// Whether it is right.
    pub right: bool,
    /// What was seen.
    pub figure: String,
}

impl Judged {
    /// Right, if it is.
    pub fn new(right: bool, figure: impl Into<String>) -> Self {
        let figure = figure.into();
        Self { right, figure }
    }

    /// Not right, whatever else would have been seen.
    pub fn wrong(figure: impl Into<String>) -> Self {
        Self::new(false, figure)
    }
}

/// `1 run`, `2 runs`.
pub(crate) fn many(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// The library of a program.
#[derive(Clone, Copy, Debug)]
pub struct Library {
    /// As tables show it.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
}

/// The server that clients connect to, where a behaviour does not need one of its own.
#[derive(Clone, Debug, Default)]
pub struct Redis(Rc<OnceCell<Server>>);

impl Redis {
    /// Its URL, `redis://127.0.0.1:port`.
    pub fn url(&self) -> String {
        let url =
            option("--redis").unwrap_or_else(|| self.0.get_or_init(Server::start).plain_url());
        url.trim_end_matches('/').to_owned()
    }

    /// What this program judges with the server's URL in this variable of its environment, for
    /// libraries that look for it there. None where it is there already: judge then.
    pub fn in_environment(&self, variable: &str) -> Option<Judged> {
        if std::env::var_os(variable).is_some() {
            return None;
        }
        let mut again = Command::new(std::env::current_exe().expect("this program's path"));
        again
            .args(std::env::args().skip(1))
            .env(variable, self.url());
        again.stderr(Stdio::null());
        let output = again.output().expect("this program runs");
        let line = Line::read(String::from_utf8_lossy(&output.stdout).trim());
        let Some(Line::Verdict(verdict)) = line else {
            panic!("no verdict from the program with `{variable}`: {output:?}");
        };
        Some(Judged::new(verdict.found == Found::Right, verdict.figure))
    }
}

type Run = Box<dyn FnOnce(Redis) -> Pin<Box<dyn Future<Output = Judged>>>>;

/// What a library's program has to say to a behaviour.
pub struct Row {
    behaviour: Behaviour,
    asked: Result<(&'static str, Run), &'static str>,
}

impl std::fmt::Debug for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Row")
            .field("behaviour", &self.behaviour)
            .finish_non_exhaustive()
    }
}

impl Behaviour {
    /// The library has it: `with` says in which configuration, `run` asks and judges.
    pub fn asked<F>(self, with: &'static str, run: F) -> Row
    where
        F: AsyncFnOnce(Redis) -> Judged + 'static,
    {
        let run: Run = Box::new(|redis| Box::pin(async move { run(redis).await }));
        Row {
            behaviour: self,
            asked: Ok((with, run)),
        }
    }

    /// The library does not have what the behaviour is about.
    pub fn lacking(self, what: &'static str) -> Row {
        Row {
            behaviour: self,
            asked: Err(what),
        }
    }
}

/// The whole of a program: does what its command line says.
///
/// # Panics
///
/// Where there is not one row for each behaviour, or the command line is none of this program's.
pub fn main<const N: usize>(library: Library, rows: [Row; N]) {
    for behaviour in Behaviour::ALL {
        let rows = rows.iter().filter(|row| row.behaviour == behaviour);
        assert_eq!(rows.count(), 1, "rows for {}", behaviour.name());
    }
    if std::env::args().any(|word| word == "--list") {
        for behaviour in Behaviour::ALL {
            println!("{}", behaviour.word());
        }
        return;
    }
    let word = option("--behaviour").expect("`--behaviour NAME`, or `--list`");
    let behaviour = Behaviour::of_word(&word).expect("one of those that `--list` names");
    for row in rows {
        if row.behaviour == behaviour {
            run(library, row);
        }
    }
}

fn run(library: Library, row: Row) {
    let verdict = move |with: &str, found, figure: &str| Verdict {
        behaviour: row.behaviour.name().to_owned(),
        library: library.name.to_owned(),
        version: format!("{} {with}", library.version).trim_end().to_owned(),
        found,
        figure: figure.to_owned(),
    };
    let (with, run) = match row.asked {
        Ok(asked) => asked,
        Err(what) => return verdict("", Found::NoSuchFeature, what).write(),
    };
    std::thread::spawn(move || {
        std::thread::sleep(LIMIT);
        verdict(with, Found::Wrong, "hangs").write();
        // Not by unwinding: what hangs may hold the threads of the runtime.
        std::process::exit(0);
    });
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
        .expect("a runtime");
    let judged = runtime.block_on(run(Redis::default()));
    verdict(with, Found::right_if(judged.right), &judged.figure).write();
    // A library may have left tasks that never end.
    runtime.shutdown_background();
}
