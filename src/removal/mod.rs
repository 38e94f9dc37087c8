//! Removal: what is asked for, and the tombstone that stays of a request.

mod archive_name;
mod order;
mod tombstone;

pub use archive_name::ArchiveName;
pub use order::Removal;
pub use tombstone::Tombstone;
