//! Waiting on a Redis of one's own, which goes away or loses its feed meanwhile.

use std::sync::Arc;
use std::time::Duration;

use mutator_governance::{WaitUntil, Waited};

use super::flavour::{Governance, RedisStore, Store};
use super::worker_servers::Directory;
use super::{dual, open_at, pause, run_concurrently};
use crate::runtime::people::{id, needing, user};
use common::server::free_port;
use common::{Oracle, PrivateServer, Raw, unique_namespace};

fn over(store: &Arc<RedisStore>) -> Governance {
    Governance::builder().store(Arc::clone(store) as Arc<dyn Store>).build()
}

/// What happens to the server while somebody waits.
trait Trouble: Send + Sync {
    fn cause(&self);
}

#[dual]
async fn wait_or_cause(waiting: Governance, deciding: Governance, trouble: Arc<dyn Trouble>, place: usize) -> bool {
    if place < 8 {
        let request = id(&format!("request-{}", place % 2));
        let waited = super::waiting::wait(&waiting, &request, WaitUntil::Decided).await;
        return matches!(waited, Waited::Met(_));
    }
    pause(Duration::from_millis(300)).await;
    // In a thread of its own: tests share the threads of a runtime.
    let causing = std::thread::spawn(move || trouble.cause());
    while !causing.is_finished() {
        pause(Duration::from_millis(10)).await;
    }
    causing.join().unwrap();
    for number in 0..2 {
        let request = id(&format!("request-{number}"));
        while deciding.approve(&request, user("a")).await.is_err() {
            pause(Duration::from_millis(20)).await;
        }
    }
    true
}

/// Eight wait, then comes the trouble, then somebody else decides.
#[dual]
async fn all_are_woken(url: &str, namespace: &str, trouble: impl Trouble + 'static) {
    let waiting = over(&open_at(url, namespace, crate::PATIENCE / 4).await);
    let deciding = over(&open_at(url, namespace, crate::PATIENCE / 4).await);
    for number in 0..2 {
        waiting.submit(needing(&format!("request-{number}"), &["a"])).await.unwrap();
    }
    let trouble: Arc<dyn Trouble> = Arc::new(trouble);
    let work = move |place| wait_or_cause(waiting.clone(), deciding.clone(), Arc::clone(&trouble), place);
    let woken = run_concurrently(9, work).await;
    assert_eq!(woken, [true; 9]);
}

struct Killed {
    port: u16,
    directory: Directory,
    server: std::sync::Mutex<Option<PrivateServer>>,
}

impl Killed {
    fn start(&self) -> PrivateServer {
        let path = self.directory.0.to_str().unwrap();
        PrivateServer::start_on_port(self.port, &["--dir", path, "--appendonly", "yes", "--appendfsync", "always"])
    }
}

impl Trouble for Killed {
    fn cause(&self) {
        let mut server = self.server.lock().unwrap();
        server.take().unwrap().stop();
        std::thread::sleep(Duration::from_millis(700));
        *server = Some(self.start());
    }
}

#[dual]
pub(crate) async fn a_waiter_outlasts_a_server_that_is_killed_and_comes_back() {
    let killed = Killed { port: free_port(), directory: Directory::new(), server: std::sync::Mutex::default() };
    let server = killed.start();
    let url = server.url().to_owned();
    *killed.server.lock().unwrap() = Some(server);
    all_are_woken(&url, &unique_namespace("waiting"), killed).await;
}

/// The feed is emptied again and again, by hand, just before and after the writes.
struct Emptied {
    url: String,
    key: String,
    command: &'static [&'static str],
}

impl Trouble for Emptied {
    fn cause(&self) {
        let (url, key, command) = (self.url.clone(), self.key.clone(), self.command);
        std::thread::spawn(move || {
            let mut raw = Raw::to(&url);
            for _ in 0..2_000 {
                let words = [&[command[0], key.as_str()], &command[1..]].concat();
                let _: i64 = raw.ask(&words);
                std::thread::sleep(Duration::from_micros(500));
            }
        });
    }
}

#[dual]
pub(crate) async fn a_feed_that_was_trimmed_or_removed_keeps_nobody_asleep() {
    let server = PrivateServer::start_on_tcp(&[]);
    for command in [&["XTRIM", "MAXLEN", "0"][..], &["UNLINK"]] {
        let namespace = unique_namespace("waiting");
        let key = String::from_utf8(Oracle::new(&namespace, 1).feed_key(0)).unwrap();
        let emptied = Emptied { url: server.url().to_owned(), key, command };
        all_are_woken(server.url(), &namespace, emptied).await;
    }
}
