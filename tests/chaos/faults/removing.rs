//! The connection is cut, at any byte, while a request is removed: it is gone whole and once.

use std::time::Duration;

use mutator_governance::workflow::{self, Command};
use mutator_governance::{ActorContext, Error, MutationRequest, Removal, WriteId};

use crate::faults::scene::{Scene, every_byte};
use common::Flavour;
use common::PrivateServer;
use common::proxy::Proxy;
use common::requests::second;

const TIMEOUT: Duration = Duration::from_secs(10);

fn somebody() -> ActorContext {
    ActorContext::user(format!("u{}", WriteId::generate())).unwrap()
}

fn ended(scene: &Scene, name: &str) -> MutationRequest {
    let canceled = workflow::apply(scene.request(name), &Command::cancel(somebody()), second(9)).unwrap();
    scene.store.update(canceled, WriteId::generate()).unwrap()
}

/// A removal reads the request and then runs one script; the cut is at any byte of either, or of the two replies.
#[test]
fn a_cut_at_any_byte_of_a_removal_leaves_a_request_or_its_tombstone() {
    let server = PrivateServer::start_on_tcp(&[]);
    let proxy = Proxy::to(server.url());
    for flavour in Flavour::all() {
        let mut scene = Scene::new(flavour, &proxy.url(), server.url(), TIMEOUT);
        let first = ended(&scene, "first");
        let before = proxy.traffic();
        scene.store.remove(&first.id, &Removal::new(somebody())).unwrap();
        let after = proxy.traffic();
        // The script was sent with its source once; from now on it is known.
        let (sent, received) = ((after.0 - before.0) as usize, (after.1 - before.1) as usize);
        assert!(sent > 500 && received > 100, "{sent} bytes sent, {received} received");
        // Its name is as long as those below, so its calls are.
        let measured = ended(&scene, "measured");
        let before = proxy.traffic();
        scene.store.remove(&measured.id, &Removal::new(somebody())).unwrap();
        let after = proxy.traffic();
        let (sent, received) = ((after.0 - before.0) as usize, (after.1 - before.1) as usize);

        let step = if every_byte() { 1 } else { 41 };
        let in_request = (0..sent).filter(|at| at % step == 0 || *at < 4 || *at + 8 > sent).map(|at| (true, at));
        let in_reply = (0..received).filter(|at| at % step == 0 || *at + 24 > received).map(|at| (false, at));
        for (number, (cut_request, at)) in in_request.chain(in_reply).enumerate() {
            let what = format!("{flavour:?}: {} cut after {at} bytes", if cut_request { "request" } else { "reply" });
            let request = ended(&scene, &format!("r{number:07}"));
            let cuts = proxy.cuts();
            if cut_request {
                proxy.cut_request_after(at);
            } else {
                proxy.cut_reply_after(at);
            }
            let removed = scene.store.remove(&request.id, &Removal::new(somebody()));
            let removed = removed.unwrap_or_else(|error| panic!("{what}: {error:?}"));
            assert!(removed.is_of(&request), "{what}: {removed}");
            assert_eq!(proxy.cuts(), cuts + 1, "{what}: not cut");
            let found = scene.store.get(&request.id);
            assert!(matches!(&found, Err(Error::Removed(found)) if **found == removed), "{what}: {found:?}");
        }
        scene.check();
        assert!(scene.store.verify().unwrap().is_clean());
    }
}
