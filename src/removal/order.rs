//! What a removal is to do: who removes, which revision, and where the request is archived.

use std::sync::Arc;

use super::ArchiveName;
use crate::request::{ActorContext, Revision};

/// A removal of one request: `Removal::new(by).at(revision).archived_in(name)`.
///
/// ```
/// use mutator_governance::{ActorContext, ArchiveName, Removal};
///
/// # fn main() -> Result<(), mutator_governance::Error> {
/// let by = ActorContext::service("retention")?;
/// let removal = Removal::new(by).archived_in(ArchiveName::new("2026-11")?);
/// assert_eq!(removal.archive().map(ArchiveName::as_str), Some("2026-11"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Removal {
    by: Arc<ActorContext>,
    revision: Option<Revision>,
    archive: Option<ArchiveName>,
}

impl Removal {
    /// A request with the value `true` under this key of its metadata is on legal hold: nobody can remove it.
    pub const LEGAL_HOLD: &'static str = "legal_hold";

    /// A removal by this actor, who needs an id.
    pub fn new(by: impl Into<Arc<ActorContext>>) -> Self {
        Self { by: by.into(), revision: None, archive: None }
    }

    /// Removes the request only at this revision: the one that was archived, or that somebody looked at. Defaults to the
    /// revision that is stored when the removal begins.
    #[must_use]
    pub const fn at(mut self, revision: Revision) -> Self {
        self.revision = Some(revision);
        self
    }

    /// Records where the request is archived. Defaults to nowhere.
    #[must_use]
    pub fn archived_in(mut self, archive: ArchiveName) -> Self {
        self.archive = Some(archive);
        self
    }

    /// Who removes.
    pub const fn by(&self) -> &Arc<ActorContext> {
        &self.by
    }

    /// The revision that it is for.
    pub const fn revision(&self) -> Option<Revision> {
        self.revision
    }

    /// Where the request is archived.
    pub const fn archive(&self) -> Option<&ArchiveName> {
        self.archive.as_ref()
    }
}
