//! Storing what was computed or given, and landing the flight with it.

use std::any::TypeId;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use super::{Call, Role, Work};
use crate::entry::{self, Header};
use crate::error::{Error, ErrorKind};
use crate::flight::{Landing, Leader};
use crate::inspect::Outcome;
use crate::lease::Lease;
use crate::local::{LocalEntry, Value};
use crate::log::{Noted, Position};
use crate::output::{Failure, Vtable};
use crate::shared::{Fill, Filled, Shared, Slot};

/// What is left of a failure's text for other processes.
const MESSAGE: usize = 512;

/// What became of an entry on its way to the shared tier.
pub(super) enum Sent {
    /// Stored, with a payload of this size.
    Stored(usize),
    /// Not stored, for reasons that leave it good for this process.
    Not,
    /// Refused: another's entry is to be read instead.
    Refused,
}

impl Call {
    /// Whether anyone but the caller has a use for the value.
    pub(super) fn wants_value(&self, keep: bool) -> bool {
        self.is_computed();
        let wanted = matches!(self.role, Role::Leader(_)) || (keep && self.stores());
        if !wanted && !self.bypass {
            self.is_not_stored();
        }
        wanted
    }

    pub(super) fn is_computed(&self) {
        if self.is_behind() {
            // Its caller has been answered.
            return;
        }
        let counters = &self.inner().reporter.counters;
        if self.bypass {
            counters.bypassed.add();
            self.tell(Outcome::Bypassed);
        } else {
            counters.computed.add();
            self.tell(Outcome::Computed);
        }
    }

    pub(super) fn stores(&self) -> bool {
        !self.bypass && !self.spoilt && self.ttl.is_some_and(|ttl| !ttl.is_zero())
    }

    /// Stores the value and lands with it: at once, or by what it returns.
    pub(super) fn committing(mut self: Box<Self>, value: Value, keep: bool) -> Option<Work<()>> {
        if self.inner().shared.is_none() && !matches!(self.role, Role::Replaces) {
            let landing = self.landing(&value);
            drop(self.prepare(&landing));
            if keep && self.stores() {
                self.keep_alone(value);
            } else {
                self.is_not_stored();
            }
            self.land(landing);
            return None;
        }
        Some(Box::pin(async move { self.commit(value, keep).await }))
    }

    async fn commit(&mut self, value: Value, keep: bool) {
        if matches!(self.role, Role::Replaces) {
            if keep
                && let Err(error) = self.replace(value).await
                && error.kind() != ErrorKind::Refused
            {
                self.fault("storing a refreshed value", &error);
            }
            return;
        }
        let landing = self.landing(&value);
        let lease = self.prepare(&landing);
        if keep && self.stores() && !self.is_held() {
            self.store(value, lease).await;
        } else {
            self.is_not_stored();
            drop(lease);
        }
        self.land(landing);
    }

    fn landing(&self, value: &Value) -> Landing {
        if self.spoilt {
            return Landing::opaque();
        }
        Landing::Value {
            value: Arc::clone(value),
            at: self.noted.at,
            tags: Arc::clone(&self.tags),
            found: false,
        }
    }

    /// From here on the followers get the value even if this call is dropped in the commit.
    fn prepare(&mut self, landing: &Landing) -> Option<Lease> {
        match &mut self.role {
            Role::Leader(leader) => {
                leader.prepare(landing.clone());
                leader.take_bequest()
            }
            Role::Alone | Role::Replaces | Role::Puts => None,
        }
    }

    /// Whether a tag is owed to the log, or under the mark of a mutation under way: then the value
    /// would be served to nobody.
    fn is_held(&self) -> bool {
        self.inner().shared.is_some() && self.inner().view.holds_any(&self.tags)
    }

    async fn store(&mut self, value: Value, lease: Option<Lease>) {
        let noted = self.noted;
        let sent = match self.reach() {
            // With `singleflight` a fill commits by its token or not at all.
            Some(_) if lease.is_none() && self.spec.singleflight.is_some() => Sent::Not,
            Some((shared, slot)) => self.send(&shared, &slot, &value, noted, lease).await,
            None => Sent::Not,
        };
        match sent {
            Sent::Stored(size) => {
                self.keep(value, noted.at, size);
                self.is_stored();
            }
            Sent::Not => self.keep_alone(value),
            Sent::Refused => self.inner().reporter.counters.refused.add(),
        }
    }

    /// Stores the value in this process only.
    fn keep_alone(&self, value: Value) {
        if self.keep(value, self.noted.at, 0) {
            self.is_stored();
        } else {
            self.is_not_stored();
        }
    }

    pub(super) fn is_stored(&self) {
        self.inner().reporter.counters.stored.add();
        if let Some(ruling) = &self.ruling {
            ruling.succeeded();
        }
    }

    fn is_not_stored(&self) {
        self.inner().reporter.counters.not_stored.add();
        if let Some(ruling) = &self.ruling {
            ruling.brought_nothing();
        }
    }

    /// Keeps the value in the local tier, if there is one and the log is known.
    pub(super) fn keep(&self, value: Value, at: Position, size: usize) -> bool {
        let inner = self.inner();
        let Some(local) = &inner.local else {
            return false;
        };
        if at == Position::NOWHERE {
            return false;
        }
        let size = size.max(size_of_val(&*value)) + size_of::<LocalEntry>();
        let entry = LocalEntry::new(value, at, Arc::clone(&self.tags), self.term(), size);
        local.insert(self.key.clone(), entry);
        true
    }

    pub(super) async fn send(
        &self,
        shared: &Arc<dyn Shared>,
        slot: &Arc<Slot>,
        value: &Value,
        noted: Noted,
        lease: Option<Lease>,
    ) -> Sent {
        let (Some(codec), Some(log)) = (self.codec, noted.id) else {
            return Sent::Not;
        };
        let bytes = match self.encode(shared, codec, value, noted) {
            Ok(bytes) => bytes,
            Err(error) => {
                self.tell_unsendable(&error);
                return Sent::Not;
            }
        };
        let size = bytes.len();
        let token = lease.as_ref().map(Lease::token);
        let fill = Fill {
            token,
            log,
            version: noted.at.head,
            bytes,
            ttl: self.kept_for(),
        };
        match shared.fill(slot, fill).await {
            Ok(filled) => {
                // Whatever it came to, the server holds nothing for this token any more.
                if let Some(lease) = lease {
                    lease.spent();
                }
                if filled == Filled::Stored {
                    Sent::Stored(size)
                } else {
                    Sent::Refused
                }
            }
            Err(error) => {
                self.fault("storing an entry", &error);
                Sent::Not
            }
        }
    }

    fn encode(
        &self,
        shared: &Arc<dyn Shared>,
        vtable: &'static Vtable,
        value: &Value,
        noted: Noted,
    ) -> Result<Vec<u8>, Error> {
        let codec = self.codec_in_use();
        let payload = (vtable.encode)(&**value, codec)
            .map_err(|error| self.unsuited(vtable, &error.to_string()))?;
        self.try_round_trip(vtable, &payload)?;
        let subject = self.subject();
        let now = shared.now();
        let lifetime = self.lifetime();
        let header = Header {
            log: noted.id.unwrap_or_default(),
            version: noted.at.head,
            soft_expiry: now + lifetime.fresh,
            hard_expiry: now + lifetime.total,
            compute_micros: lifetime.compute_micros,
            lives: u32::try_from(lifetime.fresh).unwrap_or(u32::MAX),
            ahead: u32::try_from(lifetime.fresh - lifetime.due).unwrap_or(u32::MAX),
            key: subject.digest,
            shape: subject.shape,
            codec,
        };
        let bytes = entry::encode(&header, &self.tags, &payload)?;
        let most = self.inner().max_value;
        if bytes.len() > most {
            return Err(Error::new(
                ErrorKind::Codec,
                format!(
                    "an entry of `{}` has {} bytes, more than `max_value` ({most})",
                    self.spec.name,
                    bytes.len()
                ),
            ));
        }
        Ok(bytes)
    }

    /// Tells why values of this function are not stored with this codec: once, and counted from
    /// then on.
    fn tell_unsendable(&self, error: &Error) {
        static TOLD: LazyLock<Mutex<HashSet<(TypeId, u8)>>> = LazyLock::new(Mutex::default);

        let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
        if told.insert((self.site.id, self.codec_in_use().id())) {
            drop(told);
            self.inner()
                .reporter
                .misuse("a value is not stored in the shared store", error);
        }
    }

    /// A type that the codec in use cannot carry.
    fn unsuited(&self, vtable: &'static Vtable, why: &str) -> Error {
        Error::new(
            ErrorKind::Codec,
            format!(
                "{:?} cannot carry `{}` ({why}): choose `Codec::Json` or `Codec::MessagePack` \
                 with `Cache::builder().codec(..)`",
                self.codec_in_use(),
                (vtable.type_name)()
            ),
        )
    }

    /// Some types encode to bytes that do not decode again (`flatten`, untagged enums…): tried
    /// with the first value of each function and codec, so that this is known at once and not by
    /// misses that nobody notices.
    fn try_round_trip(&self, vtable: &'static Vtable, payload: &[u8]) -> Result<(), Error> {
        static TRIED: LazyLock<Mutex<HashMap<(TypeId, u8), bool>>> = LazyLock::new(Mutex::default);

        let codec = self.codec_in_use();
        let case = (self.site.id, codec.id());
        let tried = || TRIED.lock().unwrap_or_else(PoisonError::into_inner);
        let known = tried().get(&case).copied();
        let decodes = known.unwrap_or_else(|| {
            // The user's `Deserialize` runs here: not under the lock.
            let decodes = (vtable.decode)(payload, codec).is_ok();
            tried().insert(case, decodes);
            decodes
        });
        if decodes {
            return Ok(());
        }
        Err(self.unsuited(vtable, "it does not come back from its bytes"))
    }

    /// Lands with a failure. Nothing is stored. Whether this call returns it is counted by others.
    pub(super) fn fail(&mut self, share: &dyn Fn() -> Failure, is_whole: bool) {
        self.inner().reporter.counters.failed.add();
        if let Some(ruling) = &self.ruling {
            ruling.failed();
        }
        if is_whole {
            self.misuse(
                "its return type is a type parameter that turned out to be a `Result`, which is \
                 never stored: write `Result<T, E>` in the signature",
            );
        }
        let lease = match &mut self.role {
            Role::Leader(leader) => Leader::take_bequest(leader),
            Role::Alone | Role::Replaces | Role::Puts => return,
        };
        let failure = share();
        if let Some(lease) = lease {
            lease.fail(match &failure {
                Failure::Message(text) | Failure::Value(_, Some(text)) => Some(shortened(text)),
                Failure::Value(_, None) | Failure::Opaque => None,
            });
        }
        let at = self.valid_at();
        let tags = Arc::clone(&self.tags);
        self.land(Landing::Failed { failure, at, tags });
    }
}

fn shortened(message: &str) -> String {
    message[..message.floor_char_boundary(MESSAGE)].to_owned()
}
