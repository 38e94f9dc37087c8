//! Encrypted connections to a real server: who is certified as what, and what is told of those who are not.
#![cfg(all(feature = "tls-rustls", any(feature = "blocking", feature = "tokio", feature = "smol")))]

use std::path::PathBuf;
use std::time::Duration;

use common::fake_server::FakeServer;
use common::requests::{moved_on, pending, second};
use common::server::{encrypts, free_port};
use common::{Flavour, Store, everything_said, patiently};
use common::{PrivateServer, Stopwatch, unique_namespace};
#[cfg(feature = "blocking")]
use mutator_governance::blocking;
#[cfg(any(feature = "tokio", feature = "smol"))]
use mutator_governance::nonblocking;
use mutator_governance::{Error, Outcome, Result, StoreErrorKind, WriteId};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

/// A certificate authority, and what it signed: the server as `localhost`, and a client.
struct Authority {
    root: String,
    server: (String, String),
    client: (String, String),
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut parameters = CertificateParams::new(Vec::new()).unwrap();
        parameters.distinguished_name.push(DnType::CommonName, unique_namespace("authority"));
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = parameters.self_signed(&key).unwrap().pem();
        let issuer = Issuer::new(parameters, key);
        let signed = |name: &str| {
            let key = KeyPair::generate().unwrap();
            let mut parameters = CertificateParams::new([name.to_owned()]).unwrap();
            parameters.distinguished_name.push(DnType::CommonName, name);
            let certificate = parameters.signed_by(&key, &issuer).unwrap();
            (certificate.pem(), key.serialize_pem())
        };
        Self { root, server: signed("localhost"), client: signed("governance") }
    }

    /// A server that speaks TLS at the port that is returned with it.
    fn serve(&self, asks_clients: bool) -> (PrivateServer, u16) {
        let directory: PathBuf = std::env::temp_dir().join(unique_namespace("mg-tls"));
        std::fs::create_dir(&directory).unwrap();
        let file = |name: &str, content: &str| {
            let path = directory.join(name);
            std::fs::write(&path, content).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let (certificate, key) = (file("server.crt", &self.server.0), file("server.key", &self.server.1));
        let root = file("root.crt", &self.root);
        let port = free_port();
        let server = PrivateServer::start(&[
            "--tls-port",
            &port.to_string(),
            "--tls-cert-file",
            &certificate,
            "--tls-key-file",
            &key,
            "--tls-ca-cert-file",
            &root,
            "--tls-auth-clients",
            if asks_clients { "yes" } else { "no" },
        ]);
        std::fs::remove_dir_all(&directory).unwrap();
        (server, port)
    }
}

#[derive(Clone)]
struct Opening {
    url: String,
    namespace: String,
    root: Option<String>,
    client: Option<(String, String)>,
}

impl Opening {
    fn of(url: String, root: &str) -> Self {
        Self { url, namespace: unique_namespace("tls"), root: Some(root.to_owned()), client: None }
    }

    fn open(&self, flavour: Flavour) -> Result<Store> {
        macro_rules! builder {
            ($module:ident) => {{
                let mut builder = $module::RedisStore::builder(self.url.clone())
                    .namespace(self.namespace.clone())
                    .connect_timeout(Duration::from_millis(700))
                    .timeout(Duration::from_millis(1_500));
                if let Some(root) = &self.root {
                    builder = builder.root_certificates(root.clone());
                }
                if let Some((chain, key)) = &self.client {
                    builder = builder.client_certificate(chain.clone(), key.clone());
                }
                builder
            }};
        }
        Ok(match flavour {
            #[cfg(feature = "blocking")]
            Flavour::Blocking => builder!(blocking).open()?.into(),
            #[cfg(any(feature = "tokio", feature = "smol"))]
            other => Store::nonblocking_of(other.block_on(builder!(nonblocking).open())?, other),
            #[allow(unreachable_patterns, reason = "with every feature on, all flavours are above")]
            other => panic!("{other:?} has no TLS in this build"),
        })
    }

    /// The error of an opening with a login that fails in time, and tells neither key nor password.
    fn fails(&self, flavour: Flavour) -> (StoreErrorKind, String) {
        let watch = Stopwatch::start();
        let with_login = Self { url: self.url.replace("://", "://canary-user:canary-password@"), ..self.clone() };
        let error = with_login.open(flavour).map(drop).unwrap_err();
        let took = watch.elapsed();
        assert!(took < Duration::from_millis(2_500), "{flavour:?} took {took:?}");
        assert_eq!(error.outcome(), Outcome::NotApplied, "{flavour:?}: {error}");
        let said = everything_said(&error);
        assert!(!said.contains("PRIVATE KEY") && !said.contains("canary"), "{flavour:?}: {said}");
        match error {
            Error::Store(error) => (error.kind, error.problem),
            other => panic!("{flavour:?}: {other:?}"),
        }
    }
}

fn works(opening: &Opening, flavour: Flavour) {
    let store = patiently("open", || opening.open(flavour));
    let created = pending("r", "s", second(0));
    let submitted = patiently("create", || store.create(created.clone()));
    let (change, write_id) = (moved_on(submitted, second(1)), WriteId::generate());
    let moved = patiently("update", || store.update(change.clone(), write_id));
    assert_eq!(patiently("get", || store.get(&moved.id)), Some(moved), "{flavour:?}");
}

#[test]
fn a_certified_server_is_trusted() {
    if !encrypts() {
        return;
    }
    let authority = Authority::new();
    let (_server, port) = authority.serve(false);
    for flavour in Flavour::all() {
        works(&Opening::of(format!("rediss://localhost:{port}/"), &authority.root), flavour);
    }
}

#[test]
fn a_server_of_another_name_or_authority_is_rejected() {
    if !encrypts() {
        return;
    }
    let (authority, other) = (Authority::new(), Authority::new());
    let (_server, port) = authority.serve(false);
    for flavour in Flavour::all() {
        for (what, opening) in [
            ("name", Opening::of(format!("rediss://127.0.0.1:{port}/"), &authority.root)),
            ("authority", Opening::of(format!("rediss://localhost:{port}/"), &other.root)),
        ] {
            let (kind, problem) = opening.fails(flavour);
            assert_eq!(kind, StoreErrorKind::Unreachable, "{flavour:?}, {what}: {problem}");
            assert!(problem.contains("certificate"), "{flavour:?}, {what}: {problem}");
        }
    }
}

#[test]
fn a_server_that_asks_for_a_certificate_gets_it() {
    if !encrypts() {
        return;
    }
    let (authority, other) = (Authority::new(), Authority::new());
    let (_server, port) = authority.serve(true);
    for flavour in Flavour::all() {
        let without = Opening::of(format!("rediss://localhost:{port}/"), &authority.root);
        works(&Opening { client: Some(authority.client.clone()), ..without.clone() }, flavour);
        without.fails(flavour);
        Opening { client: Some(other.client.clone()), ..without }.fails(flavour);
    }
}

#[test]
fn plain_text_and_tls_do_not_meet() {
    if !encrypts() {
        return;
    }
    let authority = Authority::new();
    let (server, port) = authority.serve(false);
    let plain = PrivateServer::start_on_tcp(&[]);
    let silent = FakeServer::silent();
    for flavour in Flavour::all() {
        Opening::of(format!("redis://localhost:{port}/"), &authority.root).fails(flavour);
        let to_plain = plain.url().replace("redis://", "rediss://");
        Opening::of(to_plain, &authority.root).fails(flavour);
        Opening::of(format!("rediss://{}/", silent.address()), &authority.root).fails(flavour);
    }
    drop(server);
}

#[test]
fn what_cannot_be_used_is_a_configuration_error() {
    let authority = Authority::new();
    let good = Opening::of("rediss://localhost:1/".to_owned(), &authority.root);
    let key_of_another = Some((authority.client.0.clone(), authority.server.1.clone()));
    for flavour in Flavour::all() {
        for (said, opening) in [
            ("root certificates", Opening { root: Some("no PEM".to_owned()), ..good.clone() }),
            ("client certificate", Opening { client: Some((String::new(), String::new())), ..good.clone() }),
            (
                "private key",
                Opening { client: Some((authority.client.0.clone(), "no key".to_owned())), ..good.clone() },
            ),
            ("do not match", Opening { client: key_of_another.clone(), ..good.clone() }),
            ("#insecure", Opening { url: "rediss://localhost:1/#insecure".to_owned(), ..good.clone() }),
        ] {
            let (kind, problem) = opening.fails(flavour);
            assert_eq!(kind, StoreErrorKind::Configuration, "{flavour:?}: {problem}");
            assert!(problem.contains(said), "{flavour:?}: {problem}");
        }
    }
}
