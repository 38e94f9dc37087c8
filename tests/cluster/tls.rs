//! Nodes of a cluster, and Sentinels with their servers, that encrypt: which port is found, and by which name their certificates
//! are verified.
#![cfg(feature = "tls-rustls")]

use std::path::PathBuf;

use common::server::{Cluster, SentinelSet, encrypts, free_port};
use common::unique_namespace;
use mutator_governance::blocking::{RedisStore, RedisStoreBuilder};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

use super::PATIENCE;

/// The name in the certificate of every node; their hosts are addresses.
const NAME: &str = "nodes.example";

/// The certificate of an authority, and one that it signed, with its key.
fn certificates() -> [String; 3] {
    let key = KeyPair::generate().unwrap();
    let mut parameters = CertificateParams::new(Vec::new()).unwrap();
    parameters.distinguished_name.push(DnType::CommonName, unique_namespace("authority"));
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = parameters.self_signed(&key).unwrap().pem();
    let issuer = Issuer::new(parameters, key);
    let key = KeyPair::generate().unwrap();
    let node = CertificateParams::new([NAME.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    [root, node.pem(), key.serialize_pem()]
}

/// Starts servers by arguments with which each encrypts at a port of its own.
fn start<T>(certificates: &[String; 3], start: impl FnOnce(&(dyn Fn() -> Vec<String> + Sync)) -> T) -> T {
    let directory: PathBuf = std::env::temp_dir().join(unique_namespace("mg-cluster-tls"));
    std::fs::create_dir(&directory).unwrap();
    let files = ["root.crt", "node.crt", "node.key"].map(|name| directory.join(name).to_str().unwrap().to_owned());
    for (file, content) in files.iter().zip(certificates) {
        std::fs::write(file, content).unwrap();
    }
    let [root, certificate, key] = &files;
    let started = start(&|| {
        let words = ["--tls-ca-cert-file", root, "--tls-cert-file", certificate, "--tls-key-file", key];
        let more = ["--tls-replication", "yes", "--tls-auth-clients", "no", "--tls-port"];
        let words = words.into_iter().chain(more).map(str::to_owned);
        words.chain([free_port().to_string()]).collect()
    });
    std::fs::remove_dir_all(&directory).unwrap();
    started
}

fn start_cluster(certificates: &[String; 3]) -> (Cluster, Vec<u16>) {
    let cluster = start(certificates, |arguments| {
        Cluster::start_each(|| [arguments(), ["--tls-cluster", "yes"].map(str::to_owned).into()].concat())
    });
    let ports = cluster.nodes().iter().filter_map(common::server::Node::tls_port).collect();
    (cluster, ports)
}

#[test]
fn nodes_that_encrypt_are_reached_at_their_encrypted_ports_and_by_their_name() {
    if !encrypts() {
        return;
    }
    let certificates = certificates();
    let (_cluster, ports) = start_cluster(&certificates);
    let builder = || -> RedisStoreBuilder {
        let urls = ports.iter().take(1).map(|port| format!("rediss://127.0.0.1:{port}"));
        let builder = RedisStore::cluster_builder(urls).namespace(unique_namespace("tls")).partitions(16);
        builder.root_certificates(certificates[0].clone()).timeout(PATIENCE)
    };
    let store = builder().server_name(NAME).open().unwrap();
    let named = store.preflight().to_string();
    let primaries = ports.iter().filter(|port| named.contains(&format!("127.0.0.1:{port}:"))).count();
    assert_eq!(primaries, 3, "{named}");
    assert!(store.verify(|_| {}).unwrap().is_clean());

    let error = builder().timeout(std::time::Duration::from_secs(2)).open().map(drop).unwrap_err().to_string();
    assert!(error.contains("127.0.0.1") && error.contains("ertificate"), "{error}");
    let error = builder().server_name("not a name").open().map(drop).unwrap_err().to_string();
    assert!(error.contains("server_name"), "{error}");
}

#[test]
fn sentinels_and_servers_that_encrypt_are_reached_at_their_encrypted_ports_and_by_their_name() {
    let certificates = certificates();
    let set = start(&certificates, |arguments| SentinelSet::start_each(arguments, arguments));
    let builder = || -> RedisStoreBuilder {
        let ports = set.sentinels().iter().filter_map(common::server::Node::tls_port);
        let urls = ports.map(|port| format!("rediss://127.0.0.1:{port}"));
        let builder = RedisStore::sentinel_builder(SentinelSet::NAME, urls).namespace(unique_namespace("tls"));
        builder.root_certificates(certificates[0].clone()).timeout(PATIENCE)
    };
    let store = builder().server_name(NAME).open().unwrap();
    let named = store.preflight().to_string();
    assert!(named.contains(&format!("127.0.0.1:{}:", set.servers()[0].tls_port().unwrap())), "{named}");
    assert!(store.verify(|_| {}).unwrap().is_clean());

    let error = builder().timeout(std::time::Duration::from_secs(2)).open().map(drop).unwrap_err().to_string();
    assert!(error.contains("127.0.0.1") && error.contains("ertificate"), "{error}");
}
