//! `inspect`: how one request is stored.

use clap::Args;
use mutator_governance::{Error, RequestId};

use crate::failure::Failure;
use crate::session::Session;
use crate::text;

/// Also a request that cannot be read.
#[derive(Args)]
pub(crate) struct Inspect {
    /// The request
    id: RequestId,
}

impl Inspect {
    pub(crate) fn run(self, session: &mut Session) -> Result<(), Failure> {
        let found = session.store_to_read()?.inspect(&self.id)?.ok_or_else(|| Error::not_found(self.id))?;
        if session.is_json() {
            return session.json(&found);
        }
        let write_ids: Vec<String> = found.write_ids.iter().map(ToString::to_string).collect();
        let readable = match &found.request {
            Ok(request) => format!("yes: {}", request.state.status()),
            Err(error) => format!("no: {error}"),
        };
        session.print(text::fields(vec![
            ("key", found.key),
            ("revision", format!("{}, write id {}", found.revision.number, found.revision.write_id)),
            ("write ids", write_ids.join(" ")),
            ("record", format!("{} bytes, {} of them the document", found.record_bytes, found.document_bytes)),
            ("readable", readable),
            ("indexes", found.current_indexes.join(" ")),
        ]))
    }
}
