//! What people say about a request: recorded, and nothing follows from it.

use super::history::{Occasion, record};
use crate::command::Command;
use crate::error::{InvalidValue, Result};
use crate::request::{DiscussionDecision, Metadata, MutationRequest, metadata_keys};

/// Records a comment, in whatever status the request is.
pub(super) fn comment(request: &mut MutationRequest, text: &str, occasion: Occasion<'_>) -> Result<()> {
    if text.trim().is_empty() {
        return Err(InvalidValue::new("comment", "is blank; say something, or leave it out").into());
    }
    let (length, most) = (text.len(), Command::MAX_COMMENT_BYTES);
    if length > most {
        let problem = format!("has {length} bytes, but at most {most} are allowed; shorten it, or link to a document");
        return Err(InvalidValue::new("comment", problem).into());
    }
    let mut about = Metadata::new();
    about.note(metadata_keys::TEXT, text);
    record(request.edit(), occasion.decision(DiscussionDecision::Commented, about));
    Ok(())
}
