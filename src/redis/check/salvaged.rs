//! What a repair makes of a record whose header is damaged.

use crate::redis::options::Settings;
use crate::redis::record::STATE_FROM;
use crate::request::{MutationRequest, Revision, WriteId};
use crate::stored_format::{self, decode_request};

/// What can be saved of a record whose header is damaged: the document, and a revision that nobody can hold.
pub(crate) struct Salvaged {
    pub(crate) request: MutationRequest,
    /// The version of the stored format that its document is in.
    pub(crate) format: u16,
    /// Where the document begins.
    pub(crate) document_from: usize,
}

impl Salvaged {
    /// Finds the document in a record, whatever stands before it.
    ///
    /// Its own checksum tells it from bytes that only begin as one does. `write_id` has to be new: the ids that the header named
    /// cannot be relied on. The number is one that no write of this request is likely to have had: each leaves a decision at least.
    pub(crate) fn of(bytes: &[u8], write_id: WriteId, settings: &Settings) -> Option<Self> {
        let begins = |from: &usize| bytes.get(*from..).is_some_and(|rest| rest.starts_with(&stored_format::MAGIC));
        (0..bytes.len()).filter(begins).find_map(|document_from| {
            let document = bytes.get(document_from..)?;
            let first = decode_request(
                document,
                Revision::first(write_id),
                settings.options.document_limit,
                settings.options.id_comparison,
            )
            .ok()?;
            let number = first.decisions.len() as u64;
            let format = stored_format::version_number(document).ok()?;
            let number =
                number.max(Self::number_before(bytes).filter(|found| found >> 32 == 0).map_or(0, |found| found + 1));
            Some(Self { request: first.at_revision(Revision { number, write_id }), format, document_from })
        })
    }

    /// The number in the damaged header, if it is not obviously damaged itself.
    fn number_before(bytes: &[u8]) -> Option<u64> {
        let number = bytes.get(STATE_FROM..)?.first_chunk()?;
        Some(u64::from_be_bytes(*number))
    }
}
