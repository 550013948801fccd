//! What is promised, asked of every state: what would a read that begins now be given from the
//! local tier, and may it? And what must come about somewhere, so that the promises mean something.

use stateright::Property;

use super::{Log, Made, Mutation, R, Rank, Request, State, TRUST, Trust};

impl Trust {
    fn is_trusted(state: &State) -> bool {
        state.trusted.monotonic > 0 && state.trusted.wall > 0
    }

    /// Whether a read that begins now is served by the local tier.
    fn is_served(&self, state: &State) -> bool {
        let (view, entry) = (&state.view, &state.entry);
        let held = state.owes() && self.keeps(R::Debts);
        let followed = entry.here || !self.keeps(R::Numbered);
        Self::is_trusted(state)
            && followed
            && view.log == Some(entry.log)
            && entry.version >= view.tag
            && entry.version <= view.head
            && !held
    }

    /// Whether what would be served lacks an invalidation made elsewhere for too long.
    fn is_too_old(&self, state: &State) -> bool {
        let lacks = state.mutations.iter().skip(state.entry.has.into());
        lacks.filter(|made| !made.own).any(|made| {
            let Made::Acknowledged { log, age } = made.state else {
                return false;
            };
            // The limit that is stated: a primary that was replaced misleads those who are still
            // with it until it knows.
            let age = match state.rank {
                Rank::Primary => age,
                _ if log == state.entry.log => age,
                Rank::Replaced => 0,
                Rank::Deposed(known) => age.min(known),
            };
            age >= TRUST
        })
    }
}

/// Whether nothing is on its way, here or there, and nothing has gone wrong.
fn is_quiet(state: &State) -> bool {
    let connection = state.connection.as_ref();
    let quiet = connection.is_some_and(|connection| {
        connection.up.is_empty()
            && connection.down.is_empty()
            && !connection.severed
            && (connection.to == Log::New || state.rank == Rank::Primary)
    });
    quiet && state.asked.is_none() && !state.view.behind
}

/// Whether the view has everything that the log it is connected to has.
fn has_everything(state: &State) -> bool {
    state.connection.as_ref().is_some_and(|connection| {
        state.view.log == Some(connection.to)
            && state.view.head == state.heads[connection.to as usize]
    })
}

pub(super) fn properties() -> Vec<Property<Trust>> {
    vec![
        Property::always(
            "no read is given what an invalidation elsewhere outdated 2 ticks before, or longer",
            |model: &Trust, state: &State| !model.is_served(state) || !model.is_too_old(state),
        ),
        Property::always(
            "no read is given what an invalidation of its own process has outdated, acknowledged \
             or owed",
            |model: &Trust, state: &State| {
                let lacks = state.mutations.iter().skip(state.entry.has.into());
                let returned = |state: Made| state != Made::Pending;
                let mut own = lacks.filter(|made| made.own);
                !model.is_served(state) || !own.any(|made| returned(made.state))
            },
        ),
        Property::always(
            "a trusted view on a connection where nothing is on its way has every record",
            |_: &Trust, state: &State| {
                !Trust::is_trusted(state) || !is_quiet(state) || has_everything(state)
            },
        ),
        Property::sometimes(
            "a read is given what a mutation elsewhere has just outdated",
            |model: &Trust, state: &State| {
                let mut lacks = state.mutations.iter().skip(state.entry.has.into());
                model.is_served(state) && lacks.any(|made| !made.own)
            },
        ),
        Property::sometimes(
            "an untrusted view is at the head",
            |_: &Trust, state: &State| !Trust::is_trusted(state) && has_everything(state),
        ),
        Property::sometimes(
            "a view is trusted again on another connection, and a value of the new log is served",
            |model: &Trust, state: &State| {
                model.is_served(state) && state.view.log == Some(Log::New) && is_quiet(state)
            },
        ),
        Property::sometimes(
            "own mutations have been acknowledged, and the value is served",
            |model: &Trust, state: &State| {
                let settled =
                    |made: &Mutation| made.own && matches!(made.state, Made::Acknowledged { .. });
                model.is_served(state) && state.mutations.iter().any(settled)
            },
        ),
        Property::sometimes(
            "a heartbeat is on its way to a server that was replaced",
            |_: &Trust, state: &State| {
                matches!(state.rank, Rank::Deposed(_))
                    && state.connection.as_ref().is_some_and(|connection| {
                        connection.to == Log::Old
                            && connection.up.iter().any(|(sent, _)| *sent == Request::Beat)
                    })
            },
        ),
    ]
}
