//! Replaces one request by another.

use super::applying::Change;
use super::{Governance, StoreExtension as _, dual};
use crate::error::{Conflict, Error, Result};
use crate::request::{MutationRequest, RequestId, WriteId};
use crate::service::rounds::Rounds;
use crate::workflow::{self, Command, superseding};

/// How many requests are read at once.
const AT_ONCE: usize = 100;

#[dual]
impl Governance {
    /// Applies a command that replaces the request by `superseding`. [`superseding`] explains why this holds whatever
    /// others do meanwhile.
    pub(super) async fn supersede_by(
        &self,
        mut request: MutationRequest,
        by: &RequestId,
        command: &Command,
        write_id: Option<WriteId>,
    ) -> Result<MutationRequest> {
        let change = |request, now| workflow::apply(request, command, now);
        let mut rounds = Rounds::new(self.rebases());
        loop {
            // What the reads below find about others holds as long as this request is unchanged.
            let superseded = change(request.clone(), self.clock.now())?;
            let other = superseding::check_superseding(&request.id, by, self.get(by).await?)?;
            if self.withdraw_announced(&request, &mut rounds).await? {
                // The announcement is withdrawn, or left to those who are about to make it true.
            } else if !superseding::is_announced(&other, &request.id) {
                self.write_once(superseding::announce(other, &request.id, self.clock.now())).await?;
            } else {
                self.outdate(&superseding::withdrawn(&request)).await?;
                match self.store.update(self.sealed(superseded), write_id.unwrap_or_else(WriteId::generate)).await {
                    Err(Error::Conflict(conflict)) => {
                        request = self.next_round(*conflict, &request, &mut rounds, &change).await?;
                        continue;
                    }
                    stored_or_failed => return stored_or_failed,
                }
            }
            let latest = self.load(&request.id).await?;
            request = rounds.next(&request, latest)?;
        }
    }

    /// Withdraws what the request announces about others that it has not replaced yet, unless that is left to them for
    /// now. Whether there were any.
    async fn withdraw_announced(&self, request: &MutationRequest, rounds: &mut Rounds) -> Result<bool> {
        let mut open = Vec::new();
        for ids in superseding::announced(request).chunks(AT_ONCE) {
            let found = self.store.get_many(ids).await?;
            if let Some(unreadable) = found.unreadable.into_iter().next() {
                return Err(unreadable.into());
            }
            let found = found.requests.into_iter().flatten();
            open.extend(found.filter(|other| !other.state.status().is_terminal()).map(|other| other.id.clone()));
        }
        if open.is_empty() {
            return Ok(false);
        }
        if !open.iter().any(|other| rounds.yields(&request.id, other)) {
            self.write_once(superseding::withdraw(request.clone(), &open)).await?;
        }
        Ok(true)
    }

    /// Changes the revision of those that are not final, so that nobody writes them by what they were before.
    pub(super) async fn outdate(&self, ids: &[RequestId]) -> Result<()> {
        for id in ids {
            let mut rounds = Rounds::new(self.rebases());
            let mut found = match self.store.get(id).await {
                Err(Error::Removed(_)) => None,
                found => found?,
            };
            while let Some(request) = found.filter(|found| !found.state.status().is_terminal()) {
                if self.write_once(request.clone()).await? {
                    break;
                }
                let latest = self.load(id).await?;
                found = Some(rounds.next(&request, latest)?);
            }
        }
        Ok(())
    }

    /// The request after the last write of a round met a conflict. A conflict that changed only the revision, which
    /// happens only here, does not count against the policy.
    pub(super) async fn next_round(
        &self,
        conflict: Conflict,
        request: &MutationRequest,
        rounds: &mut Rounds,
        change: Change<'_>,
    ) -> Result<MutationRequest> {
        if conflict.stored.document() == request.document() {
            return rounds.next(request, conflict.stored);
        }
        let latest = self.rebased(conflict, &mut rounds.rebases, change).await?;
        rounds.next(request, latest)
    }

    /// Whether the write succeeded because nobody had changed the request before.
    pub(super) async fn write_once(&self, request: MutationRequest) -> Result<bool> {
        match self.store.update(self.sealed(request), WriteId::generate()).await {
            Ok(_) => Ok(true),
            Err(Error::Conflict(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
