//! The steps in words, as a trace shows them.

use std::fmt;

use super::step::Step;
use super::{Call, KEYS, Wait};

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |key: &usize| ["f", "g", "h"][*key];
        match self {
            Self::Start { task, key } => write!(f, "task {task}: calls {}", name(key)),
            Self::Refused { task, key } => {
                let key = name(key);
                write!(
                    f,
                    "task {task}: is too late for the flight of {key}, and leads another"
                )
            }
            Self::GiveUp { task } => write!(f, "task {task}: its wait runs out, it computes alone"),
            Self::Park { task } => write!(f, "task {task}: is kept, and not polled any more"),
            Self::Drop { task } => write!(f, "task {task}: is dropped"),
            Self::Leave { task, call, key } => {
                let key = name(key);
                match call {
                    Call::Follows { .. } => write!(f, "task {task}: follows {key} no longer"),
                    Call::Leads { .. } => write!(f, "task {task}: leads {key} no longer"),
                    _ => write!(f, "task {task}: leaves its call of {key}"),
                }
            }
            Self::Next {
                task,
                call,
                key,
                calls,
            } => {
                let inner = name(&((key + 1) % KEYS));
                let key = name(key);
                write!(f, "task {task}: ")?;
                match call {
                    Call::Enters { .. } => write!(f, "takes its seat for {key}"),
                    Call::Leads { called: false, .. } | Call::Alone { called: false, .. }
                        if *calls =>
                    {
                        write!(f, "computes {key}: its body calls {inner}")
                    }
                    Call::Leads { .. } => {
                        write!(
                            f,
                            "computes {key}: its body ends, the flight goes off the map"
                        )
                    }
                    Call::Alone { .. } => write!(f, "computes {key}, alone: its body ends"),
                    Call::Lands { .. } => write!(f, "lands with {key}"),
                    Call::Follows { wait, .. } => {
                        let does = match wait {
                            Wait::Begins => "begins to wait",
                            Wait::Halfway => "goes on to wait",
                            Wait::Woken => "is woken",
                            Wait::Sleeps => "sleeps",
                        };
                        write!(f, "follows {key}: {does}")
                    }
                }
            }
        }
    }
}
