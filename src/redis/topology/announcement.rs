//! Which address an announced one means to this client.

use std::fmt;

use redis::Value;

use super::node_address::NodeAddress;
use crate::redis::reply::text;

/// Turns the address that a node announces into the one it is reached at, behind address translation for one.
pub(crate) type AddressMapping = dyn Fn(&NodeAddress) -> NodeAddress + Send + Sync;

/// Reads the addresses in a reply.
#[derive(Clone, Copy)]
pub(crate) struct Announcements<'a> {
    /// The node that replied, as it was reached.
    asked: &'a NodeAddress,
    mapping: Option<&'a AddressMapping>,
    /// Whether its encrypted port is wanted, where a node announces both.
    is_encrypted: bool,
}

impl<'a> Announcements<'a> {
    pub(crate) const fn of(asked: &'a NodeAddress) -> Self {
        Self { asked, mapping: None, is_encrypted: false }
    }

    pub(crate) const fn mapped(self, mapping: &'a AddressMapping) -> Self {
        Self { mapping: Some(mapping), ..self }
    }

    pub(crate) const fn encrypted(self, is_encrypted: bool) -> Self {
        Self { is_encrypted, ..self }
    }

    pub(super) const fn asked(&self) -> &'a NodeAddress {
        self.asked
    }

    pub(super) const fn is_encrypted(&self) -> bool {
        self.is_encrypted
    }

    /// The address that an announced host and port mean; `None` if the node does not know the host (`?`), or announces what
    /// can be no address. No host at all means that of the node that replied.
    pub(super) fn address(&self, host: &str, port: u16) -> Option<NodeAddress> {
        let announced = match host {
            "?" => return None,
            "" => NodeAddress::read(self.asked.host(), port)?,
            host => NodeAddress::read(host, port)?,
        };
        Some(self.mapping.map_or_else(|| announced.clone(), |mapping| mapping(&announced)))
    }

    /// The same for values; `Err` if they are of other types.
    pub(super) fn address_in(&self, host: &Value, port: &Value) -> Result<Option<NodeAddress>, ()> {
        let host = if *host == Value::Nil { "" } else { text(host).ok_or(())? };
        let Value::Int(port) = port else { return Err(()) };
        Ok(u16::try_from(*port).ok().and_then(|port| self.address(host, port)))
    }
}

impl fmt::Debug for Announcements<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Announcements").field("asked", self.asked).finish_non_exhaustive()
    }
}
