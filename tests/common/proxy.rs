//! A TCP proxy inside the test process that cuts, holds back or redirects what goes through it.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    upstream: Mutex<SocketAddr>,
    /// Bytes that still pass in this direction before every connection is cut; `None` cuts nothing.
    request_budget: Mutex<Option<usize>>,
    reply_budget: Mutex<Option<usize>>,
    /// How long each piece of a request or of a reply is held back.
    request_delay: Mutex<Duration>,
    reply_delay: Mutex<Duration>,
    /// How many seconds are added to the time the server tells.
    time_shift: AtomicI64,
    requested: AtomicU64,
    replied: AtomicU64,
    accepted: AtomicU64,
    cuts: AtomicU64,
    /// What happens just before the next cut by a budget.
    before_cut: Mutex<Option<Box<dyn FnOnce() + Send>>>,
    /// What is sent behind the next piece of a reply, as if the server had said it.
    surplus: Mutex<Vec<u8>>,
    /// Connections made before this one are dead, and nobody has told their ends.
    dead_before: AtomicU64,
    ended: AtomicBool,
    open: Mutex<Vec<TcpStream>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Request,
    Reply,
}

impl Proxy {
    /// A proxy to the server at a `redis://host:port/` address.
    pub fn to(url: &str) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            upstream: Mutex::new(host_and_port(url)),
            request_budget: Mutex::new(None),
            reply_budget: Mutex::new(None),
            request_delay: Mutex::new(Duration::ZERO),
            reply_delay: Mutex::new(Duration::ZERO),
            time_shift: AtomicI64::new(0),
            requested: AtomicU64::new(0),
            replied: AtomicU64::new(0),
            accepted: AtomicU64::new(0),
            cuts: AtomicU64::new(0),
            before_cut: Mutex::new(None),
            surplus: Mutex::new(Vec::new()),
            dead_before: AtomicU64::new(0),
            ended: AtomicBool::new(false),
            open: Mutex::new(Vec::new()),
        });
        let ours = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming() {
                if ours.ended.load(Ordering::SeqCst) {
                    return;
                }
                let number = ours.accepted.fetch_add(1, Ordering::SeqCst);
                let client = client.unwrap();
                let upstream = *ours.upstream.lock().unwrap();
                // A server that is down: the client sees its connection end.
                let Ok(server) = TcpStream::connect(upstream) else { continue };
                client.set_nodelay(true).unwrap();
                server.set_nodelay(true).unwrap();
                let pair = [client.try_clone().unwrap(), server.try_clone().unwrap()];
                ours.open.lock().unwrap().extend(pair);
                forward(Arc::clone(&ours), number, &client, &server, Direction::Request);
                forward(Arc::clone(&ours), number, &server, &client, Direction::Reply);
            }
        });
        Self { address, shared }
    }

    pub fn url(&self) -> String {
        format!("redis://{}/", self.address)
    }

    /// Cuts every connection once this many more bytes of requests have passed.
    pub fn cut_request_after(&self, bytes: usize) {
        *self.shared.request_budget.lock().unwrap() = Some(bytes);
    }

    /// Cuts every connection once this many more bytes of replies have passed; with 0 the server has done its work.
    pub fn cut_reply_after(&self, bytes: usize) {
        *self.shared.reply_budget.lock().unwrap() = Some(bytes);
    }

    /// Loses the next reply: the server has done its work, then this happens, then every connection is cut.
    pub fn lose_reply_and(&self, happens: impl FnOnce() + Send + 'static) {
        *self.shared.before_cut.lock().unwrap() = Some(Box::new(happens));
        self.cut_reply_after(0);
    }

    /// Sends these bytes in one piece with the next piece of a reply.
    pub fn add_to_next_reply(&self, bytes: &[u8]) {
        *self.shared.surplus.lock().unwrap() = bytes.to_vec();
    }

    /// Sends these bytes to every client now.
    pub fn interject(&self, bytes: &[u8]) {
        for client in self.shared.open.lock().unwrap().iter_mut().step_by(2) {
            drop(client.write_all(bytes));
        }
    }

    /// The connections there are swallow everything from now on, as when a firewall forgot them; new ones work.
    pub fn forget(&self) {
        self.shared.dead_before.store(self.accepted(), Ordering::SeqCst);
    }

    /// Requests arrive late: also those that nobody waits for any more.
    pub fn delay_requests(&self, by: Duration) {
        *self.shared.request_delay.lock().unwrap() = by;
    }

    pub fn delay_replies(&self, by: Duration) {
        *self.shared.reply_delay.lock().unwrap() = by;
    }

    /// The server's clock, as whoever asks for its TIME sees it, is so many seconds ahead of this host's from now on.
    pub fn shift_time(&self, seconds: i64) {
        self.shared.time_shift.store(seconds, Ordering::SeqCst);
    }

    /// Leads to another server from now on, and cuts what is open.
    pub fn redirect(&self, url: &str) {
        *self.shared.upstream.lock().unwrap() = host_and_port(url);
        self.shared.cut();
    }

    /// Cuts what is open now.
    pub fn cut(&self) {
        self.shared.cut();
    }

    /// Bytes of requests and of replies so far.
    pub fn traffic(&self) -> (u64, u64) {
        (self.shared.requested.load(Ordering::SeqCst), self.shared.replied.load(Ordering::SeqCst))
    }

    pub fn accepted(&self) -> u64 {
        self.shared.accepted.load(Ordering::SeqCst)
    }

    /// How often it cut by a budget.
    pub fn cuts(&self) -> u64 {
        self.shared.cuts.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        self.shared.cut();
        drop(TcpStream::connect(self.address));
    }
}

impl Shared {
    fn cut(&self) {
        for stream in self.open.lock().unwrap().drain(..) {
            drop(stream.shutdown(Shutdown::Both));
        }
    }

    /// How many of these bytes may pass, and whether everything is cut behind them.
    fn admit(&self, direction: Direction, length: usize) -> (usize, bool) {
        let budget = if direction == Direction::Request { &self.request_budget } else { &self.reply_budget };
        let mut budget = budget.lock().unwrap();
        match *budget {
            Some(left) if left <= length => {
                *budget = None;
                self.cuts.fetch_add(1, Ordering::SeqCst);
                (left, true)
            }
            Some(left) => {
                *budget = Some(left - length);
                (length, false)
            }
            None => (length, false),
        }
    }
}

fn forward(shared: Arc<Shared>, number: u64, from: &TcpStream, to: &TcpStream, direction: Direction) {
    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
    thread::spawn(move || {
        let mut buffer = [0; 16 * 1024];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            let counter = if direction == Direction::Request { &shared.requested } else { &shared.replied };
            counter.fetch_add(length as u64, Ordering::SeqCst);
            let delay = if direction == Direction::Request { &shared.request_delay } else { &shared.reply_delay };
            let delay = *delay.lock().unwrap();
            thread::sleep(delay);
            if number < shared.dead_before.load(Ordering::SeqCst) {
                continue;
            }
            if direction == Direction::Reply {
                shift_times(&mut buffer[..length], shared.time_shift.load(Ordering::SeqCst));
            }
            let (passing, cut) = shared.admit(direction, length);
            let mut piece = buffer[..passing].to_vec();
            if direction == Direction::Reply {
                piece.append(&mut shared.surplus.lock().unwrap());
            }
            let failed = to.write_all(&piece).is_err();
            if cut {
                let before = shared.before_cut.lock().unwrap().take();
                before.into_iter().for_each(|happens| happens());
                shared.cut();
            }
            if failed || cut {
                break;
            }
        }
        drop(from.shutdown(Shutdown::Both));
        drop(to.shutdown(Shutdown::Both));
    });
}

/// Adds so many seconds to each answer to TIME among these replies.
fn shift_times(replies: &mut [u8], seconds: i64) {
    const BEGINS: &[u8] = b"*2\r\n$10\r\n";
    for place in 0..replies.len() {
        let Some(digits) = replies[place..].strip_prefix(BEGINS).and_then(|rest| rest.get(..10)) else { continue };
        let Ok(time) = std::str::from_utf8(digits).unwrap_or_default().parse::<i64>() else { continue };
        let shifted = (time + seconds).to_string();
        assert_eq!(shifted.len(), 10);
        replies[place + BEGINS.len()..][..10].copy_from_slice(shifted.as_bytes());
    }
}

fn host_and_port(url: &str) -> SocketAddr {
    url.strip_prefix("redis://").unwrap().trim_end_matches('/').parse().unwrap()
}
