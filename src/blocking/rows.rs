//! Rows as an iterator.

use super::{Question, Rows};
use crate::error::Result;

impl<Asked: Question> Iterator for Rows<Asked> {
    type Item = Result<Asked::Row>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_row()
    }
}
