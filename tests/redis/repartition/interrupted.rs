//! A repartition that ends anywhere is completed by the next one.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use common::proxy::Proxy;
use common::{Flavour, Options, Oracle, PrivateServer, Raw};
use mutator_governance::LayoutError;

use super::scene::Scene;
use crate::layout::layout_error;

const TIMES: u16 = 3;

/// An address where nothing listens.
const NOWHERE: &str = "redis://127.0.0.1:1/";

/// Runs a repartition whose connection ends for good after so many bytes; whether it was complete before.
fn cut_after(proxy: &Proxy, flavour: Flavour, options: &Options, bytes: usize, in_requests: bool) -> bool {
    let (cuts, ended) = (proxy.cuts(), AtomicBool::new(false));
    if in_requests {
        proxy.cut_request_after(bytes);
    } else {
        proxy.cut_reply_after(bytes);
    }
    thread::scope(|scope| {
        scope.spawn(|| {
            while !ended.load(Ordering::Relaxed) {
                if proxy.cuts() > cuts {
                    proxy.redirect(NOWHERE);
                    return;
                }
                thread::yield_now();
            }
        });
        let outcome = flavour.repartition(options);
        ended.store(true, Ordering::Relaxed);
        outcome.is_ok()
    })
}

#[test]
fn a_repartition_that_is_cut_anywhere_is_completed_by_the_next() {
    let server = PrivateServer::start_on_tcp(&[]);
    for (place, flavour) in Flavour::all().into_iter().enumerate() {
        for in_requests in [true, false] {
            // How many bytes a whole one takes.
            let proxy = Proxy::to(server.url());
            let scene = Scene::new(&server, flavour, 2, 60);
            let through = |scene: &Scene, proxy: &Proxy| Options { url: proxy.url(), ..scene.multiplied(TIMES) };
            flavour.repartition(&through(&scene, &proxy)).unwrap();
            let (requests, replies) = proxy.traffic();
            let whole = usize::try_from(if in_requests { requests } else { replies }).unwrap();
            let mut interrupted = 0;
            // All flavours are one source; one of them is cut at more places.
            for part in (1..12).step_by(if place == 0 { 1 } else { 4 }) {
                let _: String = Raw::to(server.url()).ask(&["FLUSHALL"]);
                let mut scene = Scene::new(&server, flavour, 2, 60);
                let proxy = Proxy::to(server.url());
                let options = through(&scene, &proxy).timeout(Duration::from_millis(500));
                let is_complete = cut_after(&proxy, flavour, &options, whole * part / 12, in_requests);
                interrupted += u32::from(!is_complete);
                let options = scene.multiplied(TIMES);
                if let Err(error) = flavour.open(&options) {
                    let text = error.to_string();
                    assert!(text.contains("repartition"), "{flavour:?}, part {part}: {text}");
                }
                flavour.repartition(&options).unwrap_or_else(|error| panic!("{flavour:?}, part {part}: {error}"));
                scene.assert_whole(&options);
            }
            assert!(interrupted >= 2, "{flavour:?}: only {interrupted} were interrupted");
        }
    }
}

/// The child of the next test: repartitions, and stands still after a step that moved requests.
#[test]
#[ignore = "run by the test that kills it"]
fn repartition_that_is_killed() {
    let Ok(said) = std::env::var("MUTATOR_TEST_REPARTITION") else { return };
    let [url, namespace, partitions, place] = said.split(' ').collect::<Vec<_>>()[..] else { panic!("{said}") };
    let options = Options::new(url, namespace).partitions(partitions.parse().unwrap());
    let mut moved = 0;
    let _ended = Flavour::all()[place.parse::<usize>().unwrap()].repartition_in_steps(&options, |step| {
        moved += step.moved;
        if moved > 0 {
            let mut output = std::io::stdout();
            writeln!(output, "\nmutator moved {moved}").and_then(|()| output.flush()).unwrap();
            loop {
                thread::park();
            }
        }
    });
}

#[test]
fn a_repartition_that_was_killed_goes_on_and_reports_what_was_left() {
    for (place, flavour) in Flavour::all().into_iter().enumerate() {
        let server = PrivateServer::start(&[]);
        let mut scene = Scene::new(&server, flavour, 2, 60);
        for number in 0..2_000 {
            let _: String = scene.raw.ask(&["SET", &format!("other:{number}"), "x"]);
        }
        let options = scene.multiplied(TIMES);
        let task = format!("{} {} {} {place}", server.url(), options.namespace, options.partitions);
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "--nocapture", "repartition::interrupted::repartition_that_is_killed"])
            .env("MUTATOR_TEST_REPARTITION", task)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let said = lines.map_while(Result::ok).find_map(|line| line.strip_prefix("mutator moved ")?.parse().ok());
        child.kill().unwrap();
        child.wait().unwrap();
        let moved: u64 = said.expect("it moves requests");
        assert!((1..scene.to_move(TIMES)).contains(&moved), "{moved} before it was killed");
        let meta = Oracle::new(&options.namespace, options.partitions).meta_key();
        let saved: String = scene.raw.ask(&["HGET", &meta, "reindexed"]);
        assert!(saved.contains(" records ") && !saved.ends_with(" 0"), "{flavour:?}: where it goes on: {saved:?}");
        let rejected = flavour.open(&options).map(drop).unwrap_err();
        assert!(matches!(layout_error(&rejected), LayoutError::Repartitioning { .. }), "{rejected:?}");

        let report = flavour.repartition(&options).unwrap();
        assert_eq!(report.moved, scene.to_move(TIMES) - moved, "{flavour:?}");
        scene.assert_whole(&options);
    }
}

/// Two operators who do the same do no harm: one may get the error that it was overtaken.
#[test]
fn two_at_once_move_every_request_once() {
    let server = PrivateServer::start(&[]);
    for flavour in Flavour::all() {
        let mut scene = Scene::new(&server, flavour, 2, 200);
        let options = scene.multiplied(TIMES);
        let outcomes = thread::scope(|scope| {
            let both = [(); 2].map(|()| scope.spawn(|| flavour.repartition(&options)));
            both.map(|one| one.join().unwrap())
        });
        for error in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
            layout_error(error);
        }
        flavour.repartition(&options).unwrap();
        scene.assert_whole(&options);
    }
}
