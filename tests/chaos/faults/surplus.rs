//! Replies that nobody asked for: no later call takes one for its own.

use std::time::Duration;

use mutator_governance::{RequestId, WriteId};

use crate::faults::scene::{Scene, next, rounds};
use common::Flavour;
use common::PrivateServer;
use common::proxy::Proxy;

/// "There is no such request", a word, an error, two of them, half of one.
const SURPLUS: [&[u8]; 6] =
    [b"$-1\r\n", b"+OK\r\n", b"-ERR no\r\n", b"*1\r\n$7\r\napplied\r\n", b"$-1\r\n$-1\r\n", b"*2\r\n$1\r\n"];

#[test]
fn a_surplus_reply_is_never_the_answer_to_a_later_call() {
    let server = PrivateServer::start_on_tcp(&[]);
    for flavour in Flavour::all() {
        let proxy = Proxy::to(server.url());
        let mut scene = Scene::new(flavour, proxy.url().as_str(), server.url(), Duration::from_secs(5));
        scene.options.pool_size = 1;
        scene.store = flavour.open(&scene.options).unwrap();
        let (first, mut second) = (scene.request("first"), scene.request("second"));
        for _ in 0..rounds() {
            for surplus in SURPLUS {
                let what = format!("{flavour:?}, {:?}", String::from_utf8_lossy(surplus));
                // With the reply, and while nobody waits for one.
                proxy.add_to_next_reply(surplus);
                assert_eq!(scene.store.get(&first.id).unwrap().as_ref(), Some(&first), "{what}");
                assert_eq!(scene.store.get(&second.id).unwrap().as_ref(), Some(&second), "{what}");
                proxy.interject(surplus);
                std::thread::sleep(Duration::from_millis(20));
                second = scene.store.update(next(&second), WriteId::generate()).unwrap();
                proxy.add_to_next_reply(surplus);
                second = scene.store.update(next(&second), WriteId::generate()).unwrap();
                assert_eq!(scene.store.get(&second.id).unwrap().as_ref(), Some(&second), "{what}");
                let absent = RequestId::new("absent").unwrap();
                assert_eq!(scene.store.get(&absent).unwrap(), None, "{what}");
            }
        }
        scene.check();
    }
}
