use super::redis_queries::is_late;
use super::{RedisStore, dual};
use crate::error::Result;
use crate::redis::{Call, FeedEnds, FeedPage, FeedPosition, FeedWalk};

#[dual]
impl RedisStore {
    /// The entries of the change feed behind a position, at most so many, [`PageRequest::MAX_LIMIT`] at most: one round trip
    /// to each partition.
    ///
    /// Every write adds one entry, or is not made. A reader that saves [`FeedPage::next`] after it has handled a page gets
    /// every entry at least once, and those of one request in the order of its revisions; between partitions there is no
    /// order. Where entries are gone that it has not read, or were read and are not true any more, [`FeedPage::gaps`] says
    /// so, once.
    ///
    /// Read by the server that was read before: a replica that lags behind looks as if writes had been lost.
    ///
    /// [`PageRequest::MAX_LIMIT`]: crate::PageRequest::MAX_LIMIT
    ///
    /// # Errors
    /// [`Error::InvalidFeedPosition`](crate::Error::InvalidFeedPosition) for a position of another namespace,
    /// [`Error::Invalid`](crate::Error::Invalid) for a limit that is 0 or too great, and
    /// [`Error::Store`](crate::Error::Store) when the store fails or the user may not read the feed.
    pub async fn read_feed(&self, from: &FeedPosition, limit: usize) -> Result<FeedPage> {
        let deadline = self.deadline();
        let mut walk = FeedWalk::new(&self.settings.keyspace, from, limit)?;
        while let Some(read) = walk.next() {
            let value = match self.call(&Call::feed(&self.settings, read), deadline).await {
                Ok(value) => value,
                Err(error) if walk.is_begun() && (is_late(&error) || deadline.remaining().is_none()) => break,
                Err(error) => return Err(error),
            };
            walk.add(read, &value)?;
        }
        Ok(walk.finish())
    }

    /// The position behind all entries that are in the change feed now: what is written from now on comes behind it.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store) when the store fails or the user may not read the feed.
    pub async fn end_of_feed(&self) -> Result<FeedPosition> {
        let deadline = self.deadline();
        let mut ends = FeedEnds::new(&self.settings.keyspace);
        for partition in self.settings.keyspace.partitions() {
            let read = FeedEnds::read(partition);
            let value = self.call(&Call::feed(&self.settings, read), deadline).await?;
            ends.add(read, &value)?;
        }
        Ok(ends.finish())
    }
}
