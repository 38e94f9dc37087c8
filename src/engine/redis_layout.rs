//! How a Redis store checks the layout of a namespace, creates a new one, and rebuilds its indexes beside writers.

use super::redis_store::Servers;
use super::{RedisStore, dual};
use crate::error::{Error, Result};
use crate::redis::check::rebuild;
use crate::redis::namespace::layout::PartitionLayout;
use crate::redis::namespace::reply as namespace_reply;
use crate::redis::{Call, CheckMode, CheckPosition, CheckReport, CheckStep, NamespaceLayout, Progress, reply};
use crate::request::WriteId;

/// What a walk over a whole namespace does.
#[derive(Clone, Copy)]
pub(super) enum Work {
    /// Makes all indexes agree with the documents.
    Rebuild,
    /// Moves requests that lie where they belonged among this many partitions.
    Repartition { from: u16 },
}

#[dual]
impl RedisStore {
    /// The layout of the namespace. A store that may write creates a missing one now.
    pub(super) async fn namespace(&self) -> Result<redis::Value> {
        let look = Call::look_at_namespace(&self.settings);
        let mut found = self.call(&look, self.deadline()).await?;
        if namespace_reply::is_absent(&found) && !self.settings.options.read_only {
            if self.is_partly_laid_out().await? {
                // Another process may be creating it; that one writes the namespace first.
                found = self.call(&look, self.deadline()).await?;
                if namespace_reply::is_absent(&found) {
                    return Err(PartitionLayout::without_namespace(&self.settings).into());
                }
            } else {
                found = self.call(&Call::open_namespace(&self.settings), self.deadline()).await?;
            }
        }
        namespace_reply::check_namespace(&self.settings, &found)?;
        Ok(found)
    }

    pub(super) async fn recorded_layout(&self) -> Result<Option<NamespaceLayout>> {
        let found = self.call(&Call::look_at_namespace(&self.settings), self.deadline()).await?;
        NamespaceLayout::read(&self.settings, &found)
    }

    async fn is_partly_laid_out(&self) -> Result<bool> {
        Ok(self.partition_layouts().await?.iter().any(|layout| !layout.is_missing()))
    }

    async fn partition_layouts(&self) -> Result<Vec<PartitionLayout>> {
        let partitions = || self.settings.keyspace.partitions();
        let calls: Vec<Call> = partitions().map(|at| Call::partition_layout(&self.settings, at)).collect();
        let found = self.call_all_in_turn(&calls).await?;
        partitions().zip(&found).map(|(at, found)| PartitionLayout::read(&self.settings, at, found)).collect()
    }

    /// As [`call_all`](Self::call_all), with a deadline for each round trip.
    pub(super) async fn call_all_in_turn(&self, calls: &[Call]) -> Result<Vec<redis::Value>> {
        let mut found = Vec::with_capacity(calls.len());
        for calls in calls.chunks(self.settings.calls_at_once()) {
            found.extend(self.call_all(calls, self.deadline()).await?);
        }
        Ok(found)
    }

    pub(super) async fn partition_layout(&self, partition: u16) -> Result<PartitionLayout> {
        let found = self.call(&Call::partition_layout(&self.settings, partition), self.deadline()).await?;
        PartitionLayout::read(&self.settings, partition, &found)
    }

    /// Checks that every partition records the layout of this store, and creates the layout of empty ones.
    pub(super) async fn check_partitions(&self) -> Result<()> {
        let layouts = self.partition_layouts().await?;
        let missing = |(at, layout): (u16, &PartitionLayout)| layout.is_missing().then_some(at);
        let missing: Vec<u16> = self.settings.keyspace.partitions().zip(&layouts).filter_map(missing).collect();
        layouts.iter().filter(|layout| !layout.is_missing()).try_for_each(|layout| layout.check(&self.settings))?;
        if self.settings.options.read_only {
            return Ok(());
        }
        let calls: Vec<Call> = missing.iter().map(|at| Call::lay_out(&self.settings, *at)).collect();
        let found = self.call_all_in_turn(&calls).await?;
        let read = |(at, found): (&u16, _)| PartitionLayout::read(&self.settings, *at, found)?.check(&self.settings);
        missing.iter().zip(&found).try_for_each(read)
    }

    /// Rebuilds the indexes for the layout of this store, or resumes an interrupted rebuild.
    ///
    /// The order makes it safe: first the namespace records that its indexes are incomplete, then each partition gets
    /// the new layout and from then on rejects other writers, then entries change, and last the namespace gets the new
    /// version.
    pub(super) async fn rebuild(&self, progress: impl FnMut(&CheckStep) + Send) -> Result<CheckReport> {
        let call = Call::begin_reindex(&self.settings, WriteId::generate());
        let begun = self.call(&call, self.deadline()).await?;
        namespace_reply::check_namespace(&self.settings, &begun)?;
        for partition in self.settings.keyspace.partitions() {
            let layout = self.partition_layout(partition).await?;
            layout.check_replaceable(&self.settings)?;
            if !layout.is_of(&self.settings) {
                self.call(&Call::replace_layout(&self.settings, partition), self.deadline()).await?;
            }
        }
        // A rebuild for another layout may have started before the last partition got this layout, and ended since.
        self.check_not_overtaken().await?;
        let mark = namespace_reply::rebuild_mark(&begun);
        let report = match self.walk(Work::Rebuild, mark, namespace_reply::saved_position(&begun), progress).await {
            Ok(report) => report,
            Err(error) => return Err(self.explained(error).await),
        };
        report.check_rebuilt("reindex")?;
        self.check_ended(&Call::end_reindex(&self.settings, mark)).await?;
        Ok(report)
    }

    /// Records the end of a rebuild or a repartition, and checks that the namespace can be opened.
    pub(super) async fn check_ended(&self, end: &Call) -> Result<()> {
        let ended = self.call(end, self.deadline()).await?;
        namespace_reply::check_namespace(&self.settings, &ended)?;
        namespace_reply::check_indexes(&self.settings, &ended)
    }

    async fn check_not_overtaken(&self) -> Result<()> {
        let found = self.call(&Call::look_at_namespace(&self.settings), self.deadline()).await?;
        namespace_reply::check_namespace(&self.settings, &found)?;
        namespace_reply::check_choice(&self.settings, &found)
    }

    /// A partition that rejects a write says only that another rebuild began; the namespace says for which layout.
    async fn explained(&self, error: Error) -> Error {
        match &error {
            Error::Store(failure) if failure.layout.is_some() => {
                self.check_not_overtaken().await.err().unwrap_or(error)
            }
            _ => error,
        }
    }

    /// Walks the whole namespace, from the saved position on, and saves under the mark how far it has come.
    pub(super) async fn walk(
        &self,
        work: Work,
        mark: &str,
        saved_position: &str,
        mut progress: impl FnMut(&CheckStep) + Send,
    ) -> Result<CheckReport> {
        let mut run_id = self.run_id().await?;
        let mut position = rebuild::resumed(saved_position, &run_id);
        let mut report = CheckReport::default();
        let mut done = Progress::of(self.request_count().await.ok());
        loop {
            let mut step = match work {
                Work::Rebuild => self.check_step(position, CheckMode::Repair).await?,
                Work::Repartition { from } => self.move_step(position, from).await?,
            };
            done.count(&mut step);
            report.add(&step);
            // A busy record is met again only from a position before it.
            let saved = step.next.as_ref().filter(|_| !mark.is_empty() && report.check_rebuilt("").is_ok());
            if let Some(text) = saved.and_then(|next| rebuild::saved(next, &run_id)) {
                self.call(&Call::save_reindex(&self.settings, mark, &text), self.deadline()).await?;
            }
            progress(&step);
            position = if let Some(next) = step.next {
                next
            } else {
                // Another server process has taken over; the cursors of this walk mean nothing to it.
                let now = self.run_id().await?;
                if now == run_id {
                    return Ok(report);
                }
                run_id = now;
                CheckPosition::default()
            };
        }
    }

    /// The id of the server process; empty where the server does not report it, and in a cluster, whose nodes are walked
    /// each by its own.
    async fn run_id(&self) -> Result<String> {
        if matches!(self.servers, Servers::Routed(_)) {
            return Ok(String::new());
        }
        let info = self.call(&Call::server_info(), self.deadline()).await?;
        Ok(reply::preflight(&self.settings, &info)?.run_id)
    }
}
