//! Writing to the log: the calls of the scripts that change it, and what their answers mean for the
//! view, which hears of its own process's records before anyone is told. When to write is the
//! callers' and the driver's.

use redis::{Cmd, Pipeline, Value, pipe};

use super::backlog::Kept;
use super::link::{Connection, Link};
use super::reply;
use super::scripts::Script;
use crate::clock::Millis;
use crate::error::{Error, ErrorKind};
use crate::log::{LogId, Mark, MarkId, Marking, Record};
use crate::shared::{Appended, Claim, Token};
use crate::tag::TagHash;

/// An answer that is not what the script returns.
pub(super) fn garbled(what: &'static str) -> Error {
    Error::new(
        ErrorKind::Store,
        format!("the store answered {what} in a form it should not have"),
    )
}

/// A call of a script that may have to begin a log: what it needs for that.
pub(super) fn call(link: &Link, connection: &Connection, script: Script) -> Result<Cmd, Error> {
    let settings = &link.config.settings;
    let mut call = connection.scripts.call(script, &link.config.names.log());
    call.arg(&Token::random()?.0)
        .arg(settings.longest)
        .arg(u8::from(settings.trust_failover));
    Ok(call)
}

/// Appends a record that moves these tags and ends these marks.
pub(super) async fn append(
    link: &Link,
    connection: &Connection,
    tags: &[TagHash],
    ends: &[MarkId],
    claim: Option<&Claim>,
) -> Result<Option<Appended>, Error> {
    let mut call = call(link, connection, Script::Append)?;
    // Before they end: what is on its way to renew them comes before this.
    for mark in ends {
        link.backlog.drop_mark(mark);
    }
    call.arg(reply::pack(tags)).arg(ends.concat());
    if let Some(claim) = claim {
        call.arg(&claim.log)
            .arg(claim.head)
            .arg(reply::pack(&claim.tags));
    }
    let answer: Value = link.request(connection, 0, &call).await?;
    if claim.is_some() && answer == Value::Nil {
        return Ok(None);
    }
    let log = reply::log(&answer).ok_or_else(|| garbled("an append"))?;
    let record = Record {
        version: log.head,
        tags: tags.to_vec(),
        mark: (!ends.is_empty()).then(|| Marking::Ended(ends.to_vec())),
    };
    link.view.confirm(&log.id, log.floor, &record);
    Ok(Some(Appended {
        log: log.id,
        version: log.head,
    }))
}

/// Places a mark.
pub(super) async fn mark(
    link: &Link,
    connection: &Connection,
    id: MarkId,
    tags: &[TagHash],
    lasts: Millis,
) -> Result<(), Error> {
    let mark = mark_call(link, connection, &id, tags, lasts, None)?;
    let answer: Value = link.request(connection, 0, &mark).await?;
    marked(link, id, tags, &answer)
}

/// Renews marks, all in one round trip. In a log that has begun meanwhile they are placed again.
pub(super) async fn renew(
    link: &Link,
    connection: &Connection,
    marks: &[(MarkId, Kept)],
) -> Result<(), Error> {
    let mut commands = several();
    for (id, kept) in marks {
        let log = kept.log.as_ref();
        commands.add_command(mark_call(
            link, connection, id, &kept.tags, kept.lasts, log,
        )?);
    }
    let answers: Vec<Value> = link.request_all(connection, 0, &commands).await?;
    for ((id, kept), answer) in marks.iter().zip(&answers) {
        marked(link, *id, &kept.tags, answer)?;
    }
    Ok(())
}

/// A pipeline in which one refusal says nothing about the others.
fn several() -> Pipeline {
    let mut commands = pipe();
    commands.ignore_errors();
    commands
}

fn mark_call(
    link: &Link,
    connection: &Connection,
    id: &MarkId,
    tags: &[TagHash],
    lasts: Millis,
    known: Option<&LogId>,
) -> Result<Cmd, Error> {
    let mut call = call(link, connection, Script::Mark)?;
    call.arg(id)
        .arg(lasts)
        .arg(reply::pack(tags))
        .arg(known.map_or(&[][..], |log| log));
    Ok(call)
}

fn marked(link: &Link, id: MarkId, tags: &[TagHash], answer: &Value) -> Result<(), Error> {
    let said = || {
        let [_, _, _, deadline, is_new] = reply::array(answer)? else {
            return None;
        };
        let is_new = reply::number(is_new)? == 1;
        Some((reply::log(answer)?, reply::moment(deadline)?, is_new))
    };
    let (log, deadline, is_new) = said().ok_or_else(|| garbled("a mark"))?;
    link.backlog.mark_stands(&id, log.id);
    if !is_new {
        link.view.extend_mark(&id, deadline);
        return Ok(());
    }
    let mark = Mark {
        id,
        deadline,
        tags: tags.to_vec(),
    };
    let record = Record {
        version: log.head,
        tags: Vec::new(),
        mark: Some(Marking::Placed(mark)),
    };
    link.view.confirm(&log.id, log.floor, &record);
    Ok(())
}

/// Ends marks whose time is over, all in one round trip: whatever their holders did is invalidated.
pub(super) async fn expire(
    link: &Link,
    connection: &Connection,
    marks: &[Mark],
) -> Result<(), Error> {
    let log = link.view.identity().map(|(id, _)| id);
    let mut commands = several();
    for mark in marks {
        let mut call = call(link, connection, Script::Expire)?;
        // What is left over from another log was never in this one, so that it says nothing.
        let stood = log.filter(|_| link.view.stands_here(&mark.id));
        call.arg(&mark.id)
            .arg(reply::pack(&mark.tags))
            .arg(stood.as_ref().map_or(&[][..], |log| log));
        commands.add_command(call);
    }
    let answers: Vec<Value> = link.request_all(connection, 0, &commands).await?;
    for (mark, answer) in marks.iter().zip(&answers) {
        expired(link, mark, answer)?;
    }
    Ok(())
}

fn expired(link: &Link, mark: &Mark, answer: &Value) -> Result<(), Error> {
    let values = reply::array(answer).ok_or_else(|| garbled("the end of a mark"))?;
    if let [deadline] = values {
        if let Some(deadline) = reply::moment(deadline) {
            link.view.extend_mark(&mark.id, deadline);
        }
        return Ok(());
    }
    let log = reply::log(answer).ok_or_else(|| garbled("the end of a mark"))?;
    if values.get(3).and_then(reply::number) == Some(0) {
        link.view.mark_ended(&log.id, &mark.id, log.head);
        return Ok(());
    }
    let record = Record {
        version: log.head,
        tags: mark.tags.clone(),
        mark: Some(Marking::Ended(vec![mark.id])),
    };
    link.view.confirm(&log.id, log.floor, &record);
    Ok(())
}

/// Drops the older hash of tags, which is due at this time of the server's. One process of all
/// that try is the one that does; it hears of it as the others do.
pub(super) async fn rotate(link: &Link, connection: &Connection, due: Millis) -> Result<(), Error> {
    let mut rotate = call(link, connection, Script::Rotate)?;
    rotate.arg(due);
    link.request::<Value>(connection, 0, &rotate).await?;
    Ok(())
}
