//! One call for many requests: each is handled as by a call of its own, several at once.

use std::sync::Arc;

use super::super::run_concurrently::run_concurrently;
use super::{Governance, dual};
use crate::error::{InvalidValue, Result};
use crate::request::{ActorContext, Rejection, RequestDraft, RequestId};
use crate::service::many::{ManyOptions, ManyReport};
use crate::service::many_queue::{ManyQueue, check_count};
use crate::workflow::Command;

/// One call for many requests, at most [`ManyOptions::MAX_REQUESTS`].
#[dual]
impl Governance {
    /// Applies a command to each of these requests and returns what became of each, in their order.
    ///
    /// Each is handled as by [`apply_as`](Self::apply_as), several at once, in no particular order; one that fails keeps
    /// no other from being done. Call it again [with the same write id](ManyOptions::write_id) after a crash or a
    /// failure: nothing is applied twice, as long as the store remembers the writes. When as many calls in a row fail by
    /// the store itself as are made at once, no further request is started.
    ///
    /// A dropped future starts no further request; those under way may take effect.
    ///
    /// # Errors
    /// Nothing was done then: [`Error::Invalid`](crate::Error::Invalid) for more requests than that or an id that comes
    /// twice, and [`Error::NotCommitMode`](crate::Error::NotCommitMode) when the actor's
    /// [mode](ActorContext::mode) is not `Commit`.
    pub async fn apply_many(&self, ids: &[RequestId], command: &Command, options: &ManyOptions) -> Result<ManyReport> {
        command.by.ensure_commit_mode()?;
        let queue = ManyQueue::new(ids.to_vec(), options)?;
        run_concurrently(queue.workers(), || self.apply_in_turn(&queue, command)).await;
        Ok(queue.finish())
    }

    /// Approves, in each of these requests, all that this actor may [approve](Self::approve) now.
    ///
    /// # Errors
    /// As [`apply_many`](Self::apply_many).
    pub async fn approve_many(
        &self,
        ids: &[RequestId],
        by: impl Into<Arc<ActorContext>> + Send,
        options: &ManyOptions,
    ) -> Result<ManyReport> {
        self.apply_many(ids, &Command::approve(by), options).await
    }

    /// Rejects, in each of these requests, all that this actor may [reject](Self::reject) now.
    ///
    /// # Errors
    /// As [`apply_many`](Self::apply_many).
    pub async fn reject_many(
        &self,
        ids: &[RequestId],
        by: impl Into<Arc<ActorContext>> + Send,
        rejection: Option<Rejection>,
        options: &ManyOptions,
    ) -> Result<ManyReport> {
        self.apply_many(ids, &Command::reject(by, rejection), options).await
    }

    /// Cancels each of these requests.
    ///
    /// # Errors
    /// As [`apply_many`](Self::apply_many).
    pub async fn cancel_many(
        &self,
        ids: &[RequestId],
        by: impl Into<Arc<ActorContext>> + Send,
        options: &ManyOptions,
    ) -> Result<ManyReport> {
        self.apply_many(ids, &Command::cancel(by), options).await
    }

    /// Submits each of these drafts as [`submit_as`](Self::submit_as) does, and returns what became of each, in their
    /// order.
    ///
    /// # Errors
    /// Nothing was submitted then: as [`apply_many`](Self::apply_many), also when one of the requesters has another mode
    /// than `Commit`; and [`Error::Invalid`](crate::Error::Invalid) when the options have a
    /// [write id](ManyOptions::write_id) and a draft has no request id, since a repetition would submit another request.
    pub async fn submit_many(&self, drafts: &[RequestDraft], options: &ManyOptions) -> Result<ManyReport> {
        check_count(drafts.len())?;
        let mut ids = Vec::with_capacity(drafts.len());
        for (place, draft) in drafts.iter().enumerate() {
            draft.requested_by.ensure_commit_mode()?;
            ids.push(match &draft.id {
                Some(id) => id.clone(),
                None if options.is_repeatable() => {
                    let problem = format!("of draft {place} is missing; name it, or a repetition would submit another");
                    return Err(InvalidValue::new("request id", problem).into());
                }
                None => self.new_id(),
            });
        }
        let queue = ManyQueue::new(ids, options)?;
        run_concurrently(queue.workers(), || self.submit_in_turn(&queue, drafts)).await;
        Ok(queue.finish())
    }

    async fn apply_in_turn(&self, queue: &ManyQueue<'_>, command: &Command) {
        while let Some(turn) = queue.next() {
            let applied = self.apply_as(turn.id, command, turn.write_id).await;
            queue.end(&turn, applied);
        }
    }

    async fn submit_in_turn(&self, queue: &ManyQueue<'_>, drafts: &[RequestDraft]) {
        while let Some(turn) = queue.next() {
            let Some(draft) = drafts.get(turn.place) else { return };
            let draft = draft.clone().with_id(turn.id.clone());
            let submitted = self.submit_as(draft, turn.write_id).await;
            queue.end(&turn, submitted);
        }
    }
}
