//! Pages: scans of partitions, their replies, and the page that they are merged into.

pub(crate) mod cardinalities;
pub(crate) mod missing;
pub(crate) mod page_merge;
pub(crate) mod places;
pub(crate) mod scan;
pub(crate) mod scan_reply;
pub(crate) mod statistics_parts;
