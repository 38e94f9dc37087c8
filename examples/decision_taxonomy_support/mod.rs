//! Shared by both flavours of the example: its stories as data, and how the kinds of decisions are printed.

#![allow(unreachable_pub, reason = "each flavour uses this module for itself")]

mod approvals;
mod executions;
mod lifecycles;
pub mod people;
pub mod story;
pub mod taxonomy;

use story::{Diary, Story};

use crate::support::Result;

/// All stories, in the order in which they happen. A kind of decision that none of them records ends the example with
/// an error: tell its story in the file of its subject.
pub fn stories() -> Result<Vec<Story>> {
    let mut diary = Diary::new();
    executions::tell(&mut diary)?;
    approvals::tell(&mut diary)?;
    lifecycles::tell(&mut diary)?;
    Ok(diary.stories)
}
