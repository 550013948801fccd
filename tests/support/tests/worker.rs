//! Workers themselves: orders and answers, ends of every kind, and what is left when the process
//! that started them is killed.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use afresh_test_support::{Server, Steer, Worker, eventually};

#[test]
fn echo() {
    let Some(steer) = Steer::take() else { return };
    println!("noise of the test itself");
    while let Some(order) = steer.hear() {
        match order.as_str() {
            "panic" => panic!("as told"),
            "variable" => steer.say(std::env::var("COLOUR").unwrap_or_default()),
            "url" => steer.say(std::env::var("AFRESH_URL").is_ok()),
            order => steer.say(format!("did {order}")),
        }
    }
}

#[test]
fn echo_async() {
    let Some(steer) = Steer::take() else { return };
    block_on(async {
        while let Some(order) = steer.hear_async().await {
            steer.say(format!("did {order}"));
        }
    });
}

#[test]
fn owner_of_a_server() {
    let Some(steer) = Steer::take() else { return };
    let server = Server::start();
    steer.say(server.pid());
    let _ = steer.hear();
    // Neither the end of the test nor a destructor: what `SIGKILL` and `abort` leave.
    std::process::abort();
}

#[test]
fn orders_are_answered() {
    for test in ["echo", "echo_async"] {
        let mut worker = Worker::spawn(test);
        worker.say("one");
        worker.say("two");
        worker.expect("did one");
        assert_eq!(worker.hear(), "did two");
        assert_eq!(worker.ask("three"), "did three");
        assert_eq!(worker.hear_within(Duration::from_millis(10)), None);
        worker.finish();
    }
}

#[test]
fn variables_are_passed_on() {
    let mut worker = Worker::spawn_with("echo", &[("COLOUR", "green")]);
    assert_eq!(worker.ask("variable"), "green");
    assert_eq!(worker.ask("url"), "false");
}

#[test]
fn a_killed_worker_is_gone_and_its_words_are_not() {
    let mut worker = Worker::spawn("echo");
    worker.say("one");
    eventually("the worker's answer", || {
        worker.hear_within(Duration::ZERO).is_some()
    });
    worker.kill();
    assert!(!runs(worker.pid()));
}

#[test]
fn a_paused_worker_is_silent() {
    let mut worker = Worker::spawn("echo");
    worker.pause();
    worker.say("one");
    assert_eq!(worker.hear_within(Duration::from_millis(50)), None);
    worker.resume();
    worker.expect("did one");
}

#[test]
fn a_panic_shows_what_the_worker_printed() {
    let message = failure(|| {
        let mut worker = Worker::spawn("echo");
        worker.say("panic");
        worker.expect("something");
    });
    assert!(message.contains("said nothing more"), "{message}");
    assert!(message.contains("as told"), "{message}");
    assert!(message.contains("noise of the test itself"), "{message}");
}

#[test]
fn a_wrong_answer_fails() {
    let message = failure(|| {
        let mut worker = Worker::spawn("echo");
        worker.say("one");
        worker.expect("did two");
    });
    assert!(
        message.contains(r#"expected "did two", it said "did one""#),
        "{message}"
    );
}

#[test]
fn a_failed_worker_does_not_finish() {
    let message = failure(|| {
        let mut worker = Worker::spawn("echo");
        worker.say("panic");
        worker.finish();
    });
    assert!(message.contains("it ended with"), "{message}");
}

#[test]
fn a_test_of_another_name_is_told() {
    let message = failure(|| drop(Worker::spawn("no_such_test")));
    assert!(
        message.contains("is there a test of that name?"),
        "{message}"
    );
}

#[test]
fn a_server_does_not_outlive_an_aborted_process() {
    let mut worker = Worker::spawn("owner_of_a_server");
    let server = worker.hear().parse().expect("a process number");
    assert!(runs(server));
    worker.say("abort");
    eventually("the end of the server", || !runs(server));
}

fn failure(run: impl FnOnce()) -> String {
    let died = catch_unwind(AssertUnwindSafe(run)).expect_err("a failure");
    *died.downcast::<String>().expect("a message")
}

fn runs(pid: u32) -> bool {
    // A killed process whose parent does not reap it is a zombie, and as good as gone.
    let status = std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("stat"));
    status.is_ok_and(|status| !status.contains(") Z "))
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn block_on(future: impl Future<Output = ()>) {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    while future
        .as_mut()
        .poll(&mut Context::from_waker(&waker))
        .is_pending()
    {
        thread::park();
    }
}
