//! The scripts, each made of its file and the parts it begins with.

use std::sync::LazyLock;

/// A script that runs on the server, and the SHA-1 to call it by.
pub(crate) struct Script {
    pub(crate) source: String,
    pub(crate) sha1: String,
}

pub(crate) static CREATE: LazyLock<Script> =
    LazyLock::new(|| Script::new(&["#!lua\n", HEADER, REJECTION, WRITE, include_str!("scripts/create.lua")]));
pub(crate) static CREATE_PERMITTED: LazyLock<Script> = LazyLock::new(|| {
    Script::new(&["#!lua\n", HEADER, REJECTION, WRITE, PERMITTED, include_str!("scripts/create.lua")])
});
pub(crate) static UPDATE: LazyLock<Script> =
    LazyLock::new(|| Script::new(&["#!lua\n", HEADER, REJECTION, WRITE, include_str!("scripts/update.lua")]));
pub(crate) static IMPORT: LazyLock<Script> =
    LazyLock::new(|| Script::new(&["#!lua\n", HEADER, REJECTION, WRITE, include_str!("scripts/import.lua")]));
pub(crate) static IMPORT_PERMITTED: LazyLock<Script> = LazyLock::new(|| {
    Script::new(&["#!lua\n", HEADER, REJECTION, WRITE, PERMITTED, include_str!("scripts/import.lua")])
});
pub(crate) static REMOVE: LazyLock<Script> =
    LazyLock::new(|| Script::new(&["#!lua\n", HEADER, REJECTION, WRITE, include_str!("scripts/remove.lua")]));
pub(crate) static OPEN_NAMESPACE: LazyLock<Script> =
    LazyLock::new(|| Script::new(&["#!lua\n", PERMISSIONS, include_str!("scripts/open_namespace.lua")]));
pub(crate) static LOOK_AT_NAMESPACE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(&["#!lua flags=no-writes\n", PERMISSIONS, include_str!("scripts/open_namespace.lua")])
});
pub(crate) static CHECK_PERMISSIONS: LazyLock<Script> = LazyLock::new(|| {
    Script::new(&["#!lua flags=no-writes\n", PERMISSIONS, include_str!("scripts/check_permissions.lua")])
});
pub(crate) static REPAIR: LazyLock<Script> =
    LazyLock::new(|| Script::new(&["#!lua\n", HEADER, REJECTION, ANY_TYPE, include_str!("scripts/repair.lua")]));
pub(crate) static DROP_ENTRY: LazyLock<Script> =
    LazyLock::new(|| Script::new(&["#!lua\n", HEADER, ANY_TYPE, include_str!("scripts/drop_entry.lua")]));
pub(crate) static REPAIR_MEMBERS: LazyLock<Script> =
    LazyLock::new(|| Script::new(&["#!lua\n", include_str!("scripts/repair_members.lua")]));
pub(crate) static TAKE_OVER: LazyLock<Script> =
    LazyLock::new(|| Script::new(&["#!lua\n", HEADER, REJECTION, WRITE, include_str!("scripts/take_over.lua")]));
pub(crate) static GIVE_UP: LazyLock<Script> =
    LazyLock::new(|| Script::new(&["#!lua\n", HEADER, REJECTION, include_str!("scripts/give_up.lua")]));
pub(crate) static RELABEL: LazyLock<Script> =
    LazyLock::new(|| Script::new(&["#!lua\n", include_str!("scripts/relabel.lua")]));
pub(crate) static ADD_PARTITION: LazyLock<Script> =
    LazyLock::new(|| Script::new(&["#!lua\n", include_str!("scripts/add_partition.lua")]));
pub(crate) static LAY_OUT: LazyLock<Script> =
    LazyLock::new(|| Script::new(&["#!lua\n", include_str!("scripts/lay_out.lua")]));
pub(crate) static INDEX_PART: LazyLock<Script> =
    LazyLock::new(|| Script::new(&["#!lua flags=no-writes\n", include_str!("scripts/index_part.lua")]));
pub(crate) static REPAIR_INDEX_PART: LazyLock<Script> =
    LazyLock::new(|| Script::new(&["#!lua\n", include_str!("scripts/index_part.lua")]));
pub(crate) static RECORDS: LazyLock<Script> =
    LazyLock::new(|| Script::new(&["#!lua flags=no-writes\n", ANY_TYPE, include_str!("scripts/records.lua")]));
pub(crate) static SCAN: LazyLock<Script> =
    LazyLock::new(|| Script::new(&["#!lua flags=no-writes\n", ANY_TYPE, include_str!("scripts/scan.lua")]));
pub(crate) static SIZES: LazyLock<Script> =
    LazyLock::new(|| Script::new(&["#!lua flags=no-writes\n", include_str!("scripts/sizes.lua")]));
pub(crate) static FEED: LazyLock<Script> =
    LazyLock::new(|| Script::new(&["#!lua flags=no-writes\n", include_str!("scripts/feed.lua")]));

pub(crate) static CONSUMER: LazyLock<Script> =
    LazyLock::new(|| Script::new(&["#!lua\n", REJECTION, include_str!("scripts/consumer.lua")]));
pub(crate) static CONSUMERS: LazyLock<Script> =
    LazyLock::new(|| Script::new(&["#!lua flags=no-writes\n", REJECTION, include_str!("scripts/consumers.lua")]));

pub(crate) static RESERVATION: LazyLock<Script> =
    LazyLock::new(|| Script::new(&["#!lua\n", REJECTION, include_str!("scripts/reservation.lua")]));
pub(crate) static FIND_RESERVATION: LazyLock<Script> =
    LazyLock::new(|| Script::new(&["#!lua flags=no-writes\n", REJECTION, include_str!("scripts/reservation.lua")]));
pub(crate) static PERMIT: LazyLock<Script> =
    LazyLock::new(|| Script::new(&["#!lua\n", REJECTION, include_str!("scripts/permit.lua")]));

/// A script begins with the parts it needs; each function of a part takes about 0.2 µs of every call, used or not.
const HEADER: &str = include_str!("scripts/header.lua");
const REJECTION: &str = include_str!("scripts/rejection.lua");
const WRITE: &str = include_str!("scripts/write.lua");
const PERMITTED: &str = include_str!("scripts/permitted.lua");
const PERMISSIONS: &str = include_str!("scripts/permissions.lua");
const ANY_TYPE: &str = include_str!("scripts/any_type.lua");

impl Script {
    fn new(parts: &[&str]) -> Self {
        let source = parts.concat();
        let sha1 = redis::Script::new(&source).get_hash().to_owned();
        Self { source, sha1 }
    }
}
