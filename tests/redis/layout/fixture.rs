//! A namespace of layout version 1, as the commands that load it: `tests/fixtures/layout/version_1.resp`.
//!
//! It holds the same documents as one of today and lacks what version 2 added: the indexes of tags and the layout in each
//! partition; and what version 3 added, the index of what is ready. When the stored format changes, write it again:
//! `MUTATOR_WRITE_FIXTURES=1 cargo test -p mutator-governance-tests --test redis -- --ignored write_the_fixture`.

use std::path::PathBuf;

use mutator_governance::WriteId;

use common::PrivateServer;
use common::requests::{asking_for_approvals, moved_on, second, submit, varied_draft};
use common::{Flavour, Options, Raw};

pub(crate) const PARTITIONS: u16 = 2;
pub(crate) const REQUESTS: u64 = 40;
/// The dimension that the namespace lacks.
pub(crate) const MISSING_INDEXES: &str = "i:tg:";
const NAMESPACE: &str = "older";

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/layout/version_1.resp")
}

/// Loads the namespace under another name.
pub(crate) fn load(raw: &mut Raw, namespace: &str) {
    let stored = std::fs::read(path()).expect("the fixture is committed");
    let commands = commands_in(&stored);
    assert!(commands.len() > 150, "{} commands", commands.len());
    for mut words in commands {
        let rest = words[1].strip_prefix(format!("{{{NAMESPACE}").as_bytes()).expect("a key of the namespace").to_vec();
        words[1] = [format!("{{{namespace}").as_bytes(), &rest].concat();
        let _: redis::Value = raw.ask(&words);
    }
}

fn commands_in(mut bytes: &[u8]) -> Vec<Vec<Vec<u8>>> {
    fn number(bytes: &mut &[u8], sign: u8) -> usize {
        let end = bytes.windows(2).position(|pair| pair == b"\r\n").expect("a line");
        assert_eq!(bytes[0], sign);
        let number = std::str::from_utf8(&bytes[1..end]).unwrap().parse().unwrap();
        *bytes = &bytes[end + 2..];
        number
    }
    let mut commands = Vec::new();
    while !bytes.is_empty() {
        let words = number(&mut bytes, b'*');
        let mut command = Vec::new();
        for _ in 0..words {
            let length = number(&mut bytes, b'$');
            command.push(bytes[..length].to_vec());
            bytes = &bytes[length + 2..];
        }
        commands.push(command);
    }
    commands
}

/// The commands that make a key what it is.
fn command_for(raw: &mut Raw, key: &[u8]) -> Vec<Vec<Vec<u8>>> {
    let command = |name: &str, words: Vec<Vec<u8>>| [vec![name.as_bytes().to_vec(), key.to_vec()], words].concat();
    match raw.type_of(key).as_str() {
        "string" => vec![command("SET", vec![raw.ask(&[b"GET".as_slice(), key])])],
        "hash" => vec![command("HSET", raw.ask(&[b"HGETALL".as_slice(), key]))],
        "zset" => {
            let members: Vec<Vec<u8>> = raw.ask(&[b"ZRANGE".as_slice(), key, b"0", b"-1"]);
            vec![command("ZADD", members.into_iter().flat_map(|member| [b"0".to_vec(), member]).collect())]
        }
        "stream" => {
            let entries: Vec<(Vec<u8>, Vec<Vec<u8>>)> = raw.ask(&[b"XRANGE".as_slice(), key, b"-", b"+"]);
            entries.into_iter().map(|(id, fields)| command("XADD", [vec![id], fields].concat())).collect()
        }
        other => panic!("a {other} is no part of a namespace"),
    }
}

/// The fixture's own generator.
#[test]
#[ignore = "writes the committed fixture"]
fn write_the_fixture() {
    if std::env::var("MUTATOR_WRITE_FIXTURES").is_err() {
        return;
    }
    let server = PrivateServer::start(&[]);
    let mut raw = Raw::to(server.url());
    let store = Flavour::all()[0].open(&Options::new(server.url(), NAMESPACE).partitions(PARTITIONS)).unwrap();
    let mut random = fastrand::Rng::with_seed(13);
    for number in 0..REQUESTS {
        let draft = varied_draft(&format!("r{number}"), ["s", "t"][random.usize(0..2)], &mut random);
        let request = if number % 3 == 0 {
            asking_for_approvals(draft, second(number))
        } else {
            submit(draft.waiting_for(mutator_governance::PendingReason::Schedule), second(number))
        };
        let stored = store.create(request).unwrap();
        if number % 3 == 1 {
            store.update(moved_on(stored, second(number + 1)), WriteId::generate()).unwrap();
        }
    }
    let _: i64 = raw.ask(&["HSET", &format!("{{{NAMESPACE}}}:meta"), "layout", "1"]);
    let mut written = Vec::new();
    for key in raw.keys(NAMESPACE) {
        let name = String::from_utf8_lossy(&key).into_owned();
        if name.contains(MISSING_INDEXES) || name.ends_with("}:layout") {
            continue;
        }
        for words in command_for(&mut raw, &key) {
            written.extend(format!("*{}\r\n", words.len()).into_bytes());
            for word in words {
                written.extend(format!("${}\r\n", word.len()).into_bytes());
                written.extend([&word[..], b"\r\n"].concat());
            }
        }
    }
    std::fs::create_dir_all(path().parent().unwrap()).unwrap();
    std::fs::write(path(), written).unwrap();
}
