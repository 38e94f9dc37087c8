//! Version 1: bincode of types of its own. FROZEN: documents written with it exist.
//!
//! `wire` and `metadata` are the format and are never edited; `into_document` and `from_document` follow the domain.

mod from_document;
mod into_document;
mod kinds;
mod metadata;
mod wire;

use bincode::config::{Configuration, Limit, LittleEndian, Varint};
use bincode::error::DecodeError;

use super::{Budget, DocumentLimit, FormatError};
use crate::request::RequestDocument;

pub(super) const NUMBER: u16 = 1;

/// `bincode::config::standard()`, with the highest limit a document can have as the last line of defence; the limit of
/// the call is kept by the length of the bytes and by the [`Budget`].
const CONFIG: Configuration<LittleEndian, Varint, Limit<{ DocumentLimit::MAX.bytes() }>> =
    bincode::config::standard().with_limit::<{ DocumentLimit::MAX.bytes() }>();

/// Appends the body, after making sure that it can be read back within the same limit.
pub(super) fn encode(document: &RequestDocument, limit: DocumentLimit, into: &mut Vec<u8>) -> Result<(), FormatError> {
    let body = bincode::encode_to_vec(wire::Document::from(document), CONFIG)
        .map_err(|error| FormatError::malformed(format!("cannot be encoded: {error}")))?;
    limit.check(body.len())?;
    decode(&body, limit)?;
    into.extend_from_slice(&body);
    Ok(())
}

pub(super) fn decode(body: &[u8], limit: DocumentLimit) -> Result<RequestDocument, FormatError> {
    let budget = Budget::of(limit);
    let (document, read): (wire::Document<'_>, usize) =
        bincode::borrow_decode_from_slice_with_context(body, CONFIG, budget)
            .map_err(|error| explain(&error, budget))?;
    if read != body.len() {
        let problem = format!("{} bytes follow the document", body.len().saturating_sub(read));
        return Err(FormatError::malformed(problem));
    }
    document.into_document()
}

fn explain(error: &DecodeError, budget: Budget) -> FormatError {
    let problem = match error {
        DecodeError::LimitExceeded => return budget.over_limit(),
        DecodeError::UnexpectedEnd { .. } => "the body ends within a value".to_owned(),
        DecodeError::UnexpectedVariant { type_name, found, .. } => format!("{type_name} has no variant {found}"),
        DecodeError::Utf8 { inner } => format!("text is not UTF-8: {inner}"),
        DecodeError::InvalidBooleanValue(found) => format!("{found} is neither true nor false"),
        DecodeError::Other(problem) => (*problem).to_owned(),
        DecodeError::OtherString(problem) => problem.clone(),
        other => other.to_string(),
    };
    FormatError::malformed(problem)
}
