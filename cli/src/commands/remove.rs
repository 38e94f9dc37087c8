//! `remove`: removes one request, of which its tombstone stays.

use clap::Args;
use mutator_governance::blocking::Governance;
use mutator_governance::workflow::{check_removable, linked_requests};
use mutator_governance::{
    ArchiveName, Error, MutationRequest, PageRequest, Removal, RemovalError, RequestId, Tombstone,
};

use super::list::{change, status};
use super::timeline::{actor, who};
use crate::confirm::Confirmation;
use crate::failure::Failure;
use crate::session::{Session, note};
use crate::text;

/// Nothing brings it back, and its id is never used again. Only a request that has ended can be removed, by a user of the server
/// who may delete.
#[derive(Args)]
pub(crate) struct Remove {
    /// The request
    id: RequestId,

    /// Where it is archived; the tombstone keeps the name. Nobody checks that it is there
    #[arg(long, value_name = "NAME")]
    archived_in: Option<ArchiveName>,

    /// Shows what would be removed, and changes nothing
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,

    #[command(flatten)]
    confirmation: Confirmation,
}

impl Remove {
    pub(crate) fn run(self, session: &mut Session) -> Result<(), Failure> {
        let by = session.actor()?;
        let governance = session.writing()?;
        let request = match governance.get(&self.id) {
            // As a call that is repeated finds it.
            Err(Error::Removed(tombstone)) => return print(session, &tombstone),
            found => found?.ok_or_else(|| Error::not_found(self.id.clone()))?,
        };
        check(&governance, &request)?;
        let archived = match &self.archived_in {
            Some(name) => format!("archived in {name}"),
            None => "not archived".to_owned(),
        };
        note(format_args!(
            "remove {} as {}: {}, submitted by {}; {}, {archived}",
            request.id,
            actor(&by),
            change(&request),
            actor(&request.requested_by),
            status(&request)
        ));
        if self.dry_run {
            return Ok(());
        }
        self.confirmation.ask(&format!("remove {} for ever? nothing brings it back", request.id))?;
        let removal = Removal::new(by).at(request.revision());
        let removal = self.archived_in.into_iter().fold(removal, Removal::archived_in);
        print(session, &governance.remove(&request.id, &removal)?)
    }
}

/// What a removal would find wrong with the request itself, and with those that it is linked to.
fn check(governance: &Governance, request: &MutationRequest) -> Result<(), Failure> {
    check_removable(request)?;
    let ids: Vec<RequestId> = linked_requests(request).into_iter().cloned().collect();
    for ids in ids.chunks(PageRequest::MAX_LIMIT) {
        let linked = governance.get_many(ids)?;
        if let Some(unreadable) = linked.unreadable.into_iter().next() {
            return Err(Error::from(unreadable).into());
        }
        let open = linked.requests.into_iter().flatten().find(|linked| !linked.state.status().is_terminal());
        if let Some(open) = open {
            let error = RemovalError::LinkedToOpen { status: open.state.status(), linked: open.id.clone() };
            return Err(Error::Removal { id: request.id.clone(), error }.into());
        }
    }
    Ok(())
}

fn print(session: &mut Session, tombstone: &Tombstone) -> Result<(), Failure> {
    if session.is_json() { session.json_line(tombstone) } else { session.line(tombstone) }
}

/// What stays of a removed request, for people.
pub(super) fn whole(tombstone: &Tombstone) -> String {
    let Tombstone { id, revision, status, digest, removed_at, removed_by, archive, .. } = tombstone;
    let by = who(removed_by.id.as_ref(), removed_by.label());
    let archive = archive.as_ref().map_or_else(|| "nowhere".to_owned(), ToString::to_string);
    text::fields(vec![
        ("request", format!("{id}, revision {}", revision.number)),
        ("now", format!("removed for ever; it was {status}")),
        ("removed", format!("{} by {by}", text::time(*removed_at))),
        ("archived", archive),
        ("digest", digest.to_string()),
    ])
}
