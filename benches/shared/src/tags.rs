//! Invalidating a tag that one entry carries, a thousand, a million.

use std::sync::Arc;
use std::time::Instant;

use afresh::{Cache, cached};
use afresh_measure::{Contender, Point, in_turn};
use afresh_test_support::Server;
use amalgam::{FactoryError, source};

use crate::peers::amalgam::Amalgam;
use crate::peers::python::Python;
use crate::peers::raw::Raw;

/// How many entries carry the tag.
const ENTRIES: [i64; 3] = [1, 1_000, 1_000_000];
/// How many of them are written at a time.
const WRITERS: i64 = 256;

#[cached(ttl = 3600, key = "{entries}/{id}", tags = ["of:{entries}"], cache = cache)]
async fn tagged(cache: &Cache, entries: i64, id: i64) -> i64 {
    id
}

pub(crate) fn all(rounds: usize) {
    const CALLS: usize = 200;
    let runtime = crate::runtime();
    for entries in ENTRIES {
        // A server for each: what one has left does not weigh on the others.
        let server = Server::start();
        let url = server.plain_url();
        let (raw, ours) = runtime.block_on(async {
            let builder = Cache::builder().url(&url).local(false);
            (
                Raw::new(&url).await,
                builder.build().await.expect("a cache"),
            )
        });
        let ours = Arc::new(ours);
        runtime.block_on(fill(entries, {
            let ours = Arc::clone(&ours);
            move |id| {
                let ours = Arc::clone(&ours);
                async move {
                    tagged(&ours, entries, id).await;
                }
            }
        }));
        // Of its own kind on the same server: filling a million takes it a while.
        let amalgam = (entries <= 1_000).then(|| {
            let amalgam = Arc::new(runtime.block_on(Amalgam::new(&url)));
            runtime.block_on(fill(entries, {
                let amalgam = Arc::clone(&amalgam);
                move |id| {
                    let amalgam = Arc::clone(&amalgam);
                    async move {
                        let value = source::factory(move |ctx| async move {
                            Ok::<_, FactoryError>(ctx.value(afresh_measure::Book::new(id)))
                        });
                        let key = format!("{entries}/{id}");
                        let set = amalgam
                            .0
                            .get_or_set(key, value)
                            .tags([format!("of:{entries}")]);
                        set.await.expect("a value");
                    }
                }
            }));
            amalgam
        });
        let point = Point::new("invalidating a tag", &format!("{entries} entries"), "us")
            .at(entries as f64);
        let tag = format!("of:{entries}");
        let each = |start: Instant| start.elapsed().as_secs_f64() * 1e6 / CALLS as f64;
        let mut contenders = vec![
            Contender::new("raw SET", |_| {
                runtime.block_on(async {
                    let mut connection = raw.0.clone();
                    let start = Instant::now();
                    for _ in 0..CALLS {
                        let mut set = redis::cmd("SET");
                        set.arg(&tag).arg("x");
                        set.exec_async(&mut connection).await.expect("a server");
                    }
                    each(start)
                })
            }),
            Contender::new("afresh", |_| {
                runtime.block_on(async {
                    let start = Instant::now();
                    for _ in 0..CALLS {
                        ours.invalidate([&*tag]).await.expect("an acknowledgement");
                    }
                    each(start)
                })
            }),
        ];
        if let Some(amalgam) = &amalgam {
            contenders.push(Contender::new("amalgam remove_by_tag", |_| {
                runtime.block_on(async {
                    let start = Instant::now();
                    for _ in 0..CALLS {
                        amalgam
                            .0
                            .remove_by_tag(&*tag)
                            .await
                            .expect("an invalidation");
                    }
                    each(start)
                })
            }));
        }
        // What they have invalidated has to be filled again each time.
        let pythons = if entries <= 1_000 {
            Python::all(&url)
        } else {
            Vec::new()
        };
        for python in pythons {
            contenders.push(Contender::new(python.subject, move |_| {
                python.order(&format!("fill {entries}"));
                python.order("invalidate 1")
            }));
        }
        in_turn(&point, rounds, contenders);
    }
}

/// Has as many entries written, some at a time.
async fn fill<F: Future<Output = ()> + Send>(
    entries: i64,
    write: impl Fn(i64) -> F + Clone + Send + 'static,
) {
    let writers: Vec<_> = (0..WRITERS.min(entries))
        .map(|writer| {
            let write = write.clone();
            tokio::spawn(async move {
                let mut id = writer;
                while id < entries {
                    write(id).await;
                    id += WRITERS;
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.expect("a writer");
    }
}
