//! Steps of a retention: reads a page of what may be due, archives what is to be archived, and removes.

use std::sync::Arc;

#[cfg(feature = "archive")]
use super::{Archive, ArchiveShelf};
use super::{Governance, dual};
#[cfg(feature = "archive")]
use crate::archive::ExportOptions;
#[cfg(feature = "archive")]
use crate::error::Error;
use crate::error::{InvalidValue, Result};
#[cfg(feature = "archive")]
use crate::query::RequestQuery;
#[cfg(feature = "archive")]
use crate::removal::ArchiveName;
use crate::removal::Removal;
#[cfg(feature = "archive")]
use crate::request::RequestId;
use crate::request::{ActorContext, MutationRequest};
#[cfg(feature = "archive")]
use crate::retention::Judgement;
use crate::retention::{RetentionAction, RetentionOptions, RetentionPolicy, RetentionReport, Walk};
#[cfg(feature = "archive")]
use crate::stored_format::DocumentLimit;

/// What has stayed long enough, in bounded steps.
#[dual]
impl Governance {
    /// Lists what a step of a retention would do, and writes nothing. Go on [after](RetentionOptions::after) each report until
    /// one has no next.
    ///
    /// # Errors
    /// [`Error::Store`] when the store fails, and [`Error::Invalid`] for a position of another policy.
    pub async fn plan_retention(
        &self,
        policy: &RetentionPolicy,
        options: &RetentionOptions,
    ) -> Result<RetentionReport> {
        let mut report = RetentionReport { is_plan: true, ..RetentionReport::default() };
        let now = self.refreshed_now().await?;
        self.read_due(&mut Walk::begin(policy, options, now), &mut report).await?;
        Ok(report)
    }

    /// One step of a retention: of the next requests of a rule that have ended, removes those that are due. A step of a rule
    /// that archives needs [`retain_to`](Self::retain_to).
    ///
    /// Any number of processes may do this at once: each request is removed once. After a failure take the same step again.
    ///
    /// # Errors
    /// [`Error::Store`] when the store fails, [`Error::NotCommitMode`] when the actor's mode is not `Commit`, and
    /// [`Error::Invalid`] for a position of another policy, or a rule that archives.
    pub async fn retain(
        &self,
        policy: &RetentionPolicy,
        by: impl Into<Arc<ActorContext>> + Send,
        options: &RetentionOptions,
    ) -> Result<RetentionReport> {
        let by = by.into();
        by.ensure_commit_mode()?;
        if let Some(rule) = policy.rules().iter().find(|rule| rule.action() == RetentionAction::Archive) {
            let problem = format!("{} archives what is due; use retain_to, and name where", rule.name());
            return Err(InvalidValue::new("retention rule", problem).into());
        }
        let mut report = RetentionReport::default();
        let now = self.refreshed_now().await?;
        let (_, due) = self.read_due(&mut Walk::begin(policy, options, now), &mut report).await?;
        self.purge(&due, &by, &mut report).await;
        Ok(report)
    }

    /// The same, also with rules that archive: what is due goes to a new archive on this shelf, is read back from there, and
    /// only then is removed, at the revision that the archive holds. The tombstones name the archive.
    ///
    /// A step that fails in between leaves an archive that no tombstone names, and every request where it is.
    ///
    /// # Errors
    /// As [`retain`](Self::retain), and [`Error::Archive`] when the archive cannot be written, or is not read back as it was
    /// written.
    #[cfg(feature = "archive")]
    pub async fn retain_to(
        &self,
        archives: &dyn ArchiveShelf,
        policy: &RetentionPolicy,
        by: impl Into<Arc<ActorContext>> + Send,
        options: &RetentionOptions,
    ) -> Result<RetentionReport> {
        let by = by.into();
        by.ensure_commit_mode()?;
        let mut report = RetentionReport::default();
        let now = self.refreshed_now().await?;
        let mut walk = Walk::begin(policy, options, now);
        let (action, due) = self.read_due(&mut walk, &mut report).await?;
        match action {
            RetentionAction::Purge => self.purge(&due, &by, &mut report).await,
            RetentionAction::Archive if due.is_empty() => {}
            RetentionAction::Archive => self.archive_and_remove(archives, &walk, &due, &by, &mut report).await?,
        }
        Ok(report)
    }

    /// Reads the next page. What is to be done with the requests that are due, and these.
    async fn read_due(
        &self,
        walk: &mut Walk<'_>,
        report: &mut RetentionReport,
    ) -> Result<(RetentionAction, Vec<MutationRequest>)> {
        for query in walk.queries_to_count()? {
            let counted = self.store.count(&query).await?;
            walk.count(counted);
        }
        let (query, page) = walk.page()?;
        let read = self.store.requests(&query, &page).await?;
        let (rule, due) = walk.divide(read, report)?;
        Ok((rule.action(), due))
    }

    async fn purge(&self, due: &[MutationRequest], by: &Arc<ActorContext>, report: &mut RetentionReport) {
        let removal = Removal::new(Arc::clone(by));
        for request in due {
            let removed = self.remove_read(request, &removal).await;
            report.record(request.id.clone(), removed.map(|(_, is_own)| is_own));
        }
    }

    #[cfg(feature = "archive")]
    async fn archive_and_remove(
        &self,
        archives: &dyn ArchiveShelf,
        walk: &Walk<'_>,
        due: &[MutationRequest],
        by: &Arc<ActorContext>,
        report: &mut RetentionReport,
    ) -> Result<()> {
        let name = ArchiveName::new(format!("retention-{}", RequestId::generate()))?;
        let unusable = |error: std::io::Error| -> Error {
            let (file, problem) = (name.to_string(), error.to_string());
            crate::error::ArchiveError::File { file, writing: true, problem }.into()
        };
        let query = RequestQuery::new().with_ids(due.iter().map(|request| request.id.as_str()))?;
        let mut sink = archives.begin(&name).await.map_err(unusable)?;
        self.export(&query, &mut *sink, &ExportOptions::new()).await?;
        drop(sink);
        let source = archives.open(&name).await.map_err(unusable)?;
        // Its documents were this store's a moment ago, so whatever its limit is, they are within.
        let mut archive = Archive::open(source).await?.document_limit(DocumentLimit::MAX);
        archive.verify().await?;
        let removal = Removal::new(Arc::clone(by)).archived_in(name.clone());
        report.archive = Some(name);
        while let Some(record) = archive.next_record().await? {
            let request = record.into_request().into_request().map_err(Error::from)?;
            let request = request.comparing_ids(self.store.id_comparison());
            let is_due = matches!(walk.judge(&request), Judgement::Due(_));
            // Otherwise somebody changed it before it was archived.
            let removed =
                if is_due { self.remove_read(&request, &removal).await.map(|(_, is_own)| is_own) } else { Ok(false) };
            report.record(request.id.clone(), removed);
        }
        Ok(())
    }
}
