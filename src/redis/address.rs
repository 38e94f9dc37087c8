use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo as _};

use super::options::configuration;
use crate::error::StoreError;

/// Reads a URL. redis-rs knows `rediss://` only with its own TLS, which the blocking flavour does without, so it is given
/// the rest as `redis://`.
///
/// # Errors
/// [`Configuration`](crate::StoreErrorKind::Configuration). Never repeats the URL, which may hold a password, and so may
/// what redis-rs says of it.
pub(super) fn read(url: &str) -> Result<ConnectionInfo, StoreError> {
    let unreadable = || {
        configuration(
            "the Redis URL cannot be read; it must look like redis://[user:password@]host[:port][/db], rediss://… for TLS, \
             or redis+unix:///path",
        )
    };
    let encrypted = url.strip_prefix("rediss://").or_else(|| url.strip_prefix("valkeys://"));
    let Some(rest) = encrypted else {
        return url.into_connection_info().map_err(|_| unreadable());
    };
    if !cfg!(feature = "tls") {
        return Err(configuration(
            "rediss:// is TLS, which this build leaves out: switch on the feature tls, or nonblocking-tls for the \
             asynchronous flavour",
        ));
    }
    if rest.contains('#') {
        return Err(configuration(
            "the server's certificate is always verified: take #insecure from the URL, and give the certificate of whoever \
             signed it as root_certificates",
        ));
    }
    let plain = format!("redis://{rest}").into_connection_info().map_err(|_| unreadable())?;
    let ConnectionAddr::Tcp(host, port) = plain.addr() else { return Err(unreadable()) };
    let address = ConnectionAddr::TcpTls { host: host.clone(), port: *port, insecure: false, tls_params: None };
    Ok(plain.set_addr(address))
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

    #[cfg(feature = "tls")]
    #[test]
    fn an_encrypted_address_is_read_whole() {
        let info = read("rediss://user:secret@localhost:7000/2").unwrap();
        let is_expected = matches!(info.addr(), ConnectionAddr::TcpTls { host, port: 7000, insecure: false, .. } if host == "localhost");
        assert!(is_expected, "{:?}", info.addr());
        assert_eq!((info.redis_settings().username(), info.redis_settings().db()), (Some("user"), 2));
    }

    #[cfg(not(feature = "tls"))]
    #[test]
    fn an_encrypted_address_names_the_feature_it_needs() {
        let error = read("rediss://user:secret@localhost").unwrap_err().to_string();
        assert!(error.contains("feature tls") && !error.contains("secret"), "{error}");
    }
}
