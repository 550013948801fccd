//! Storing a value in the place of what is there, in all processes: what `put` was given, or what
//! `refresh` computed. Refused where it may be older than an invalidation.

use super::commit::Sent;
use super::{Call, Work};
use crate::error::{Error, ErrorKind};
use crate::local::Value;
use crate::log::{Noted, Position};
use crate::shared::Claim;

impl Call {
    /// Answers a `put`.
    pub(super) fn putting(mut self: Box<Self>, value: Result<Value, Error>) -> Work<()> {
        Box::pin(async move { self.put(value).await })
    }

    async fn put(&mut self, value: Result<Value, Error>) {
        let result = match value {
            Ok(value) => self.replace(value).await,
            Err(refused) => Err(refused),
        };
        if let Some(inspection) = &self.inspection {
            inspection.put(result);
        }
    }

    /// Stores the value in the place of what is there, here and in all copies, unless it may be
    /// older than an invalidation.
    pub(super) async fn replace(&mut self, value: Value) -> Result<(), Error> {
        let replaced = self.try_replace(value).await;
        if matches!(&replaced, Err(error) if error.kind() == ErrorKind::Refused) {
            self.inner().reporter.counters.refused.add();
        }
        replaced
    }

    async fn try_replace(&mut self, value: Value) -> Result<(), Error> {
        if !self.stores() {
            let why = "the call is bypassed, or its ttl is zero or missing";
            return Err(Error::new(
                ErrorKind::Refused,
                format!("nothing is to be stored: {why}"),
            ));
        }
        let record = self.subject().record();
        let Some(shared) = self.inner().shared.clone() else {
            let put = self
                .inner()
                .view
                .append_if(self.noted.at, &self.tags, &record);
            let at = put.ok_or_else(too_old)?;
            self.keep(value, at, 0);
            self.is_stored();
            return Ok(());
        };
        let Some(log) = self.noted.id else {
            return Err(Error::new(
                ErrorKind::Store,
                "the shared store has not been reached yet",
            ));
        };
        let claim = Claim {
            log,
            head: self.noted.at.head,
            tags: self.tags.to_vec(),
        };
        let appended = shared
            .append(record.into(), None, Some(claim))
            .await?
            .ok_or_else(too_old)?;
        let at = self.inner().view.locate(&appended.log, appended.version);
        if at == Position::NOWHERE {
            return Err(Error::new(
                ErrorKind::Store,
                "another log has begun meanwhile; what was stored before is invalidated",
            ));
        }
        let noted = Noted {
            at,
            id: Some(appended.log),
            ..self.noted
        };
        if let Some(slot) = self.subject().slot.clone() {
            match self.send(&shared, &slot, &value, noted, None).await {
                Sent::Stored(size) => {
                    self.keep(value, at, size);
                    self.is_stored();
                    return Ok(());
                }
                Sent::Not => {
                    return Err(Error::new(
                        ErrorKind::Store,
                        "the value could not be stored; what was stored before is invalidated",
                    ));
                }
                Sent::Refused => {
                    return Err(Error::new(
                        ErrorKind::Refused,
                        "a newer value was stored meanwhile; this one is not",
                    ));
                }
            }
        }
        if self.keep(value, at, 0) {
            self.is_stored();
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Store,
            "there is no place to keep the value; what was kept before is invalidated",
        ))
    }
}

fn too_old() -> Error {
    Error::new(
        ErrorKind::Refused,
        "the value may be older than an invalidation that came meanwhile: nothing was changed",
    )
}
