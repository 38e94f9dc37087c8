//! Reads the change feed, all partitions at once, and keeps its consumers.

use super::redis_queries::is_late;
use super::{RedisStore, dual};
use crate::error::Result;
use crate::feed::{Consumer, FeedPage, FeedPosition};
use crate::redis::feed::{self, FeedLags};
use crate::redis::pages::missing;
use crate::redis::{Call, FeedEnds, FeedWalk};

#[dual]
impl RedisStore {
    /// A page of the change feed, always from the same server: a lagging replica looks as if writes were lost.
    pub(super) async fn feed_page(&self, from: &FeedPosition, limit: usize) -> Result<FeedPage> {
        let deadline = self.deadline();
        let mut walk = FeedWalk::new(&self.settings.keyspace, from, limit)?;
        loop {
            let reads = walk.next_round(self.settings.calls_at_once());
            if reads.is_empty() {
                break;
            }
            let calls: Vec<Call> = reads.iter().map(|read| Call::feed(&self.settings, *read)).collect();
            let values = match self.call_present(&calls, deadline).await {
                Ok(values) => values,
                Err(error) if walk.is_begun() && (is_late(&error) || deadline.remaining().is_none()) => break,
                Err(error) => return Err(error),
            };
            for (read, value) in reads.into_iter().zip(values) {
                match value {
                    Ok(value) => walk.add(read, &value)?,
                    Err(missing) => walk.leave_out(missing),
                }
            }
        }
        let page = walk.finish();
        missing::check_some_answered(&page.missing, self.settings.keyspace.partition_count())?;
        Ok(page)
    }

    pub(super) async fn feed_end(&self) -> Result<FeedPosition> {
        let deadline = self.deadline();
        let mut ends = FeedEnds::new(&self.settings.keyspace);
        let reads: Vec<_> = self.settings.keyspace.partitions().map(FeedEnds::read).collect();
        let calls: Vec<Call> = reads.iter().map(|read| Call::feed(&self.settings, *read)).collect();
        for (read, value) in reads.into_iter().zip(self.call_all(&calls, deadline).await?) {
            ends.add(read, &value)?;
        }
        Ok(ends.finish())
    }

    /// All consumers, and how far behind each is; the latter is asked of all partitions at once.
    pub(super) async fn feed_consumers(&self) -> Result<Vec<Consumer>> {
        let deadline = self.deadline();
        let mut consumers = feed::listed(&self.call(&Call::consumers(&self.settings), deadline).await?)?;
        if consumers.is_empty() {
            return Ok(consumers);
        }
        let mut lags = FeedLags::new(&self.settings.keyspace);
        let reads: Vec<_> = self.settings.keyspace.partitions().map(FeedLags::read).collect();
        let calls: Vec<Call> = reads.iter().map(|read| Call::feed(&self.settings, *read)).collect();
        for (read, value) in reads.into_iter().zip(self.call_all(&calls, deadline).await?) {
            lags.add(read, &value)?;
        }
        for consumer in &mut consumers {
            consumer.lag = lags.of(&consumer.position);
        }
        Ok(consumers)
    }
}
