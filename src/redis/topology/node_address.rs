//! Host and port of a node.

use std::fmt;
use std::num::NonZeroU16;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::InvalidValue;

/// Host and port where a server is reached.
///
/// As text it is `host:port`, an address of IP version 6 in brackets.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NodeAddress {
    host: Box<str>,
    port: NonZeroU16,
}

impl NodeAddress {
    /// The longest name that the domain name system has.
    const MAX_HOST_BYTES: usize = 255;

    /// The host is a name or an IP address, one of version 6 without brackets.
    ///
    /// # Errors
    /// [`InvalidValue`] for port 0 and for a host that can be none: an empty one, one of more than 255 bytes, and one with white
    /// space, control characters or any of `/?#@[]`.
    pub fn new(host: &str, port: u16) -> Result<Self, InvalidValue> {
        Self::read(host, port).ok_or_else(|| {
            let problem =
                format!("{host:?} with port {port} is no host and port; write an IP address or a name, and 1 to 65535");
            InvalidValue::new("node address", problem)
        })
    }

    pub(super) fn read(host: &str, port: u16) -> Option<Self> {
        let is_foreign = |c: char| c.is_whitespace() || c.is_control() || "/?#@[]".contains(c);
        let is_host = !host.is_empty() && host.len() <= Self::MAX_HOST_BYTES && !host.contains(is_foreign);
        Some(Self { host: host.into(), port: NonZeroU16::new(port).filter(|_| is_host)? })
    }

    /// A name, or an address of version 4 or 6, the latter without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    pub const fn port(&self) -> u16 {
        self.port.get()
    }
}

impl FromStr for NodeAddress {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let parts = text.rsplit_once(':').and_then(|(host, port)| {
            let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
            Self::read(host, port.parse().ok()?)
        });
        parts.ok_or_else(|| InvalidValue::new("node address", format!("{text:?} is not host:port")))
    }
}

impl TryFrom<String> for NodeAddress {
    type Error = InvalidValue;

    fn try_from(text: String) -> Result<Self, InvalidValue> {
        text.parse()
    }
}

impl From<NodeAddress> for String {
    fn from(address: NodeAddress) -> Self {
        address.to_string()
    }
}

impl fmt::Display for NodeAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_connected_to_is_an_address() {
        for text in ["", "h", "h:", ":7", "h:x", "h:65536", "[h:7"] {
            assert!(text.parse::<NodeAddress>().is_err(), "{text}");
        }
        let long = "x".repeat(256);
        for (host, port) in
            [("", 1), ("h", 0), ("a b", 1), ("a\nb", 1), ("u@h", 1), ("[::1]", 1), ("h/1", 1), (&long, 1)]
        {
            assert!(NodeAddress::new(host, port).is_err(), "{host}:{port}");
        }
        for (host, printed) in [("h", "h:7"), ("127.0.0.1", "127.0.0.1:7"), ("::1", "[::1]:7")] {
            let address = NodeAddress::new(host, 7).unwrap();
            assert_eq!(address.to_string(), printed);
            assert_eq!(printed.parse(), Ok(address));
        }
    }
}
