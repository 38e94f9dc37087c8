//! Reads the URL of a server, and never repeats it in an error.

use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo as _};

use crate::error::StoreError;
use crate::redis::options::configuration;

/// Reads a URL. redis-rs supports `rediss://` only with its own TLS, which this crate does not use, so it gets
/// `redis://`.
///
/// # Errors
/// [`Configuration`](crate::StoreErrorKind::Configuration). The error repeats neither the URL, which may hold a
/// password, nor redis-rs's text, which may repeat it.
pub(in crate::redis) fn read(url: &str) -> Result<ConnectionInfo, StoreError> {
    check_unambiguous(url)?;
    let info = parse(url)?;
    let settings = info.redis_settings();
    if settings.username().is_some_and(|user| !user.is_empty()) && settings.password().is_none() {
        return Err(configuration(
            "the Redis URL names a user and no password; write redis://user:password@host, or redis://:password@host for a \
             password alone",
        ));
    }
    Ok(info)
}

fn parse(url: &str) -> Result<ConnectionInfo, StoreError> {
    let encrypted = url.strip_prefix("rediss://").or_else(|| url.strip_prefix("valkeys://"));
    let Some(rest) = encrypted else {
        return url.into_connection_info().map_err(|_| unreadable());
    };
    if !cfg!(feature = "tls-rustls") {
        return Err(configuration("rediss:// is TLS, which this build leaves out: switch on the feature tls-rustls"));
    }
    let plain = format!("redis://{rest}").into_connection_info().map_err(|_| unreadable())?;
    let ConnectionAddr::Tcp(host, port) = plain.addr() else { return Err(unreadable()) };
    let address = ConnectionAddr::TcpTls { host: host.clone(), port: *port, insecure: false, tls_params: None };
    Ok(plain.set_addr(address))
}

/// Rejects what a URL parser would misread: a `#`, `?` or `/` within a password ends the host there, and a part of the
/// login becomes the host, which errors name.
fn check_unambiguous(url: &str) -> Result<(), StoreError> {
    let (scheme, rest) = url.split_once(':').ok_or_else(unreadable)?;
    if scheme.contains("sentinel") {
        return Err(configuration(
            "the Redis URL is one of a Sentinel: write it as redis://host:port or rediss://host:port, and give it to \
             RedisStore::sentinel_builder with the name of the primary",
        ));
    }
    if scheme.starts_with("rediss") && rest.ends_with("#insecure") {
        return Err(configuration(
            "the server's certificate is always verified: take #insecure from the URL, and give the certificate of its \
             issuer as root_certificates",
        ));
    }
    // A URL parser silently drops some of these characters.
    if url.contains(|character: char| character.is_whitespace() || character.is_control()) {
        return Err(unreadable());
    }
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let is_local = matches!(scheme, "unix" | "redis+unix" | "valkey+unix");
    let is_misplaced = if is_local {
        place.contains('@') || query.split('&').any(|pair| !is_known(pair))
    } else {
        let authority = rest.strip_prefix("//").ok_or_else(unreadable)?;
        let after = authority.find(['/', '?']).and_then(|end| authority.get(end..)).unwrap_or_default();
        after.contains('@')
    };
    if is_misplaced || rest.contains('#') {
        return Err(configuration(MISPLACED));
    }
    Ok(())
}

/// Whether this text may follow the `?` of a local address. Anything else is the rest of a password with an `&`.
fn is_known(pair: &str) -> bool {
    let name = pair.split('=').next().unwrap_or_default();
    matches!(name, "" | "user" | "pass" | "db" | "protocol")
}

const MISPLACED: &str = "the Redis URL is ambiguous: within a user name, a password or a path, write % as \
                         %25, / as %2F, ? as %3F, # as %23, & as %26, + as %2B and @ as %40, or give the login with \
                         credentials() instead";

fn unreadable() -> StoreError {
    configuration(
        "the Redis URL cannot be read; it must look like redis://[user:password@]host[:port][/db], rediss://… for TLS, or \
         redis+unix:///path, with neither white space nor control characters; user and password are percent-encoded",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_addresses_are_read() {
        for url in ["redis://localhost", "redis://u:p@localhost:7000/2", "redis+unix:///run/redis.sock"] {
            assert!(!matches!(read(url).unwrap().addr(), ConnectionAddr::TcpTls { .. }), "{url}");
        }
    }

    const NASTY: &[u8] = b"QXZJ789:@/?#[]%&+=!$'()*,;\\|^`{}<>\"~-._ \t\n";

    fn everything_said(error: &StoreError) -> String {
        format!("{error} {error:?} {error:#?}")
    }

    /// The substrings of three characters that the password has and these words do not.
    fn parts<'a>(password: &'a str, words: &str) -> Vec<&'a str> {
        let ends = (3..=password.len()).map(|end| &password[end - 3..end]);
        ends.filter(|part| !words.contains(part)).collect()
    }

    #[test]
    fn a_password_that_is_not_encoded_shows_in_no_error_and_in_no_address() {
        let mut random = fastrand::Rng::with_seed(4711);
        let known = ["nothing", "redis://h#", "sentinel://x", "rediss://h#insecure"].map(|url| match read(url) {
            Err(error) => everything_said(&error),
            Ok(_) => panic!("{url} is no address"),
        });
        let known = known.concat() + "server.example:6379/2 /run/server.sock";
        let shapes: [fn(&str) -> String; 8] = [
            |secret| format!("redis://admin:{secret}@server.example"),
            |secret| format!("redis://{secret}:x@server.example:6379/2"),
            |secret| format!("redis://:{secret}@server.example?protocol=3"),
            |secret| format!("rediss://admin:{secret}@server.example"),
            |secret| format!("valkey://admin:{secret}@server.example"),
            |secret| format!("redis+unix:///run/server.sock?user=admin&pass={secret}"),
            |secret| format!("redis-sentinel://admin:{secret}@server.example/primary"),
            |secret| format!("admin:{secret}@server.example"),
        ];
        let (mut read_well, mut rejected) = (0, 0);
        for round in 0..40_000 {
            let length = random.usize(3..12);
            let password: String = (0..length).map(|_| NASTY[random.usize(..NASTY.len())] as char).collect();
            let url = shapes[round % shapes.len()](&password);
            let said = match read(&url) {
                Ok(info) => {
                    read_well += 1;
                    info.addr().to_string()
                }
                Err(error) => {
                    rejected += 1;
                    everything_said(&error)
                }
            };
            for part in parts(&password, &known) {
                assert!(!said.contains(part), "{url:?}: {part:?} is shown: {said}");
            }
            assert!(!said.contains("admin"), "{url:?}: {said}");
        }
        assert!(read_well > 1_000 && rejected > 1_000, "{read_well} read, {rejected} rejected");
    }

    #[test]
    fn an_encoded_password_is_read_whole() {
        let mut random = fastrand::Rng::with_seed(4712);
        for _ in 0..2_000 {
            let password: String =
                (0..random.usize(1..12)).map(|_| NASTY[random.usize(..NASTY.len())] as char).collect();
            let encoded: String = password.bytes().map(|byte| format!("%{byte:02X}")).collect();
            for url in [
                format!("redis://admin:{encoded}@server.example"),
                format!("redis+unix:///run/server.sock?user=admin&pass={encoded}"),
            ] {
                let info = read(&url).unwrap();
                let login = (info.redis_settings().username(), info.redis_settings().password());
                assert_eq!(login, (Some("admin"), Some(&*password)), "{url}");
            }
        }
    }

    #[test]
    fn what_is_not_encoded_is_reported() {
        for url in
            ["redis://admin:4711#rest@host", "redis://admin:4711/x@host", "redis://admin:4711?x@host", "redis://h#x"]
        {
            let error = read(url).unwrap_err().to_string();
            assert!(error.contains("# as %23") && !error.contains("4711"), "{error}");
        }
        assert!(read("redis-sentinel://h:26379/primary").unwrap_err().to_string().contains("Sentinel"));
    }

    #[cfg(feature = "tls-rustls")]
    #[test]
    fn an_encrypted_address_is_read_whole() {
        let info = read("rediss://user:secret@localhost:7000/2").unwrap();
        let is_expected = matches!(info.addr(), ConnectionAddr::TcpTls { host, port: 7000, insecure: false, .. } if host == "localhost");
        assert!(is_expected, "{:?}", info.addr());
        assert_eq!((info.redis_settings().username(), info.redis_settings().db()), (Some("user"), 2));
    }

    #[cfg(not(feature = "tls-rustls"))]
    #[test]
    fn an_encrypted_address_names_the_feature_it_needs() {
        let error = read("rediss://user:secret@localhost").unwrap_err().to_string();
        assert!(error.contains("feature tls-rustls") && !error.contains("secret"), "{error}");
    }
}
