//! What a namespace records about itself: its layout and what it was chosen to index.

pub(crate) mod indexed_metadata;
pub(crate) mod layout;
pub(crate) mod recorded_layout;
pub(crate) mod repartition;
pub(crate) mod reply;
