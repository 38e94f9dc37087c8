//! Where a node sends a command instead of answering it.

use redis::{ErrorKind, RedisError, ServerErrorKind};

use super::announcement::Announcements;
use super::node_address::NodeAddress;
use super::slot::Slot;

/// The meaning of `MOVED` and `ASK`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Redirect {
    /// The slot is served there, until further notice.
    Moved { slot: Slot, to: NodeAddress },
    /// The slot is being moved there: this command alone goes there, after `ASKING`.
    Ask { slot: Slot, to: NodeAddress },
    /// The node names another, but not in a way that leads anywhere.
    Nowhere,
}

impl Redirect {
    /// The slot that has moved, and where it is now.
    pub(crate) const fn moved(&self) -> Option<(Slot, &NodeAddress)> {
        match self {
            Self::Moved { slot, to } => Some((*slot, to)),
            _ => None,
        }
    }

    /// `None` for any other error.
    pub(crate) fn of(error: &RedisError, announcements: Announcements<'_>) -> Option<Self> {
        let detail = || error.detail().unwrap_or_default();
        match error.kind() {
            ErrorKind::Server(ServerErrorKind::Moved) => {
                Some(read(detail(), announcements).map_or(Self::Nowhere, |(slot, to)| Self::Moved { slot, to }))
            }
            ErrorKind::Server(ServerErrorKind::Ask) => {
                Some(read(detail(), announcements).map_or(Self::Nowhere, |(slot, to)| Self::Ask { slot, to }))
            }
            _ => None,
        }
    }
}

/// Reads `<slot> <host>:<port>`. A host of IP version 6 has no brackets, so the port follows the last colon.
fn read(detail: &str, announcements: Announcements<'_>) -> Option<(Slot, NodeAddress)> {
    let (slot, address) = detail.trim_end().split_once(' ')?;
    let (host, port) = address.rsplit_once(':')?;
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    Some((Slot::new(slot.parse().ok()?)?, announcements.address(host, port.parse().ok()?)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::redis::topology::samples::{address, server_error};

    fn redirect(line: &str) -> Option<Redirect> {
        Redirect::of(&server_error(line), Announcements::of(&address("asked", 9)))
    }

    fn moved(slot: u16, host: &str, port: u16) -> Option<Redirect> {
        Some(Redirect::Moved { slot: Slot::new(slot).unwrap(), to: address(host, port) })
    }

    #[test]
    fn moved_and_ask_name_slot_and_node() {
        assert_eq!(redirect("MOVED 3999 127.0.0.1:6381"), moved(3_999, "127.0.0.1", 6_381));
        assert_eq!(redirect("MOVED 16383 ::1:6381"), moved(16_383, "::1", 6_381));
        assert_eq!(redirect("MOVED 0 [::1]:6381"), moved(0, "::1", 6_381));
        assert_eq!(redirect("MOVED 7 redis-3.example:1"), moved(7, "redis-3.example", 1));
        assert_eq!(redirect("MOVED 7 :6381"), moved(7, "asked", 6_381), "no host is that of the node itself");
        let slot = Slot::new(7).unwrap();
        assert_eq!(redirect("ASK 7 h:1"), Some(Redirect::Ask { slot, to: address("h", 1) }));
    }

    #[test]
    fn what_leads_nowhere_is_a_redirect_all_the_same() {
        for line in [
            "MOVED",
            "MOVED 7",
            "MOVED 16384 h:1",
            "MOVED -1 h:1",
            "MOVED 7 h",
            "MOVED 7 h:0",
            "ASK 7 h:65536",
            "MOVED 7 ?:6381",
            "ASK x h:1",
            "MOVED 7 a b:1",
        ] {
            assert_eq!(redirect(line), Some(Redirect::Nowhere), "{line}");
        }
        for line in ["TRYAGAIN again", "CLUSTERDOWN Hash slot not served", "ERR MOVED 7 h:1", "LOADING"] {
            assert_eq!(redirect(line), None, "{line}");
        }
    }

    #[test]
    fn the_address_is_mapped() {
        let asked = address("asked", 9);
        let mapping = |node: &NodeAddress| address("outside", node.port() + 1);
        let announcements = Announcements::of(&asked).mapped(&mapping);
        let found = Redirect::of(&server_error("MOVED 7 10.0.0.3:6379"), announcements);
        assert_eq!(found, moved(7, "outside", 6_380));
    }

    proptest! {
        #[test]
        fn any_detail_is_a_redirect(detail in "[0-9a-f:?\\[\\]. ]{0,40}") {
            for word in ["MOVED", "ASK"] {
                let found = redirect(&format!("{word} {detail}"));
                prop_assert!(found.is_some());
            }
        }
    }
}
