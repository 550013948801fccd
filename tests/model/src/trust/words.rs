//! The steps in words, as a trace shows them.

use std::fmt;

use super::step::Step;
use super::{Answer, Delivery, Log, Request, TRUST};

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |log: &Log| match log {
            Log::Old => "the first server",
            Log::New => "the new server",
        };
        let request = |request: &Request| match request {
            Request::Beat => "a heartbeat",
            Request::CatchUp => "a catch-up",
            Request::Append => "its append",
        };
        match self {
            Self::Tick => write!(f, "a tick of time passes"),
            Self::Suspend => write!(f, "the reader's machine is suspended for a tick"),
            Self::SetBack => write!(f, "the reader's wall clock is set back by {TRUST} ticks"),
            Self::Promote => write!(f, "another server is promoted; the first does not know yet"),
            Self::Depose => write!(f, "the first server learns that it was replaced"),
            Self::MutateElsewhere => {
                write!(f, "a mutation elsewhere: committed, appended, acknowledged")
            }
            Self::Mutate => write!(
                f,
                "a mutation by the reader's own process: committed, its append begun"
            ),
            Self::Settle => write!(f, "the reader's process sends the append that it owes"),
            Self::Compute => write!(f, "the reader computes the value and keeps it"),
            Self::Send(sent) => write!(f, "the reader sends {}", request(sent)),
            Self::TimeOut => write!(f, "the reader waits no longer for the log's state"),
            Self::GiveUp => write!(
                f,
                "the mutation waits no longer for its append, which is owed"
            ),
            Self::Serve(served) => write!(f, "the server answers {}", request(served)),
            Self::Deliver(Delivery::Note) => write!(f, "the reader receives a note"),
            Self::Deliver(Delivery::Reply { of, says, wanted }) => {
                let answer = match says {
                    Answer::State { log, head } => format!("log of {}, head {head}", name(log)),
                    Answer::Appended { version, .. } => format!("version {version}"),
                    Answer::Refused => "refused".to_owned(),
                };
                let fate = if *wanted {
                    ""
                } else {
                    ", which nobody waits for"
                };
                write!(
                    f,
                    "the reader receives the answer to {} ({answer}){fate}",
                    request(of)
                )
            }
            Self::Sever => write!(
                f,
                "the server forgets the connection; the reader does not know"
            ),
            Self::Lose => write!(f, "the reader loses the connection"),
            Self::Connect(log) => write!(f, "the reader connects to {}", name(log)),
            Self::Late => write!(f, "an answer that came on the lost connection is looked at"),
        }
    }
}
