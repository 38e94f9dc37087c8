//! Rows as a stream.

use futures_util::stream::{self, Stream};

use super::{Question, Rows};
use crate::error::Result;

impl<Asked: Question> Rows<Asked> {
    /// The rows as a stream, whose items are those of [`next_row`](Self::next_row), errors included.
    pub fn into_stream(self) -> impl Stream<Item = Result<Asked::Row>> + Send {
        stream::unfold(self, |mut rows| async move {
            let row = rows.next_row().await?;
            Some((row, rows))
        })
    }
}
