//! What a service demands of each draft, besides what the draft says.

#[cfg(feature = "policies")]
use std::sync::Arc;

use crate::error::Result;
#[cfg(feature = "policies")]
use crate::policy::PolicySet;
use crate::request::{MutationRequest, RequestDraft, RequestId, Timestamp, WriteId};
use crate::workflow;

/// The demands of a service: its policies, if it has any.
#[derive(Clone, Default)]
pub(crate) struct Demands {
    #[cfg(feature = "policies")]
    policies: Option<Arc<PolicySet>>,
}

impl Demands {
    #[cfg(feature = "policies")]
    pub(crate) fn of(policies: PolicySet) -> Self {
        Self { policies: Some(Arc::new(policies)) }
    }

    /// The request that the draft becomes with all that is demanded of it. Its intent is that of the draft as the caller
    /// gave it: a repetition is one even if the policies have changed since.
    #[cfg_attr(not(feature = "policies"), expect(clippy::unused_self, reason = "without policies nothing is demanded"))]
    pub(crate) fn submit(
        &self,
        draft: RequestDraft,
        id: RequestId,
        write_id: WriteId,
        now: Timestamp,
    ) -> Result<MutationRequest> {
        #[cfg(feature = "policies")]
        if let Some(policies) = &self.policies {
            let intent = draft.write_intent();
            return Ok(workflow::submit(policies.draft(draft, now)?, id, write_id, now)?.meant_only_to(intent));
        }
        workflow::submit(draft, id, write_id, now)
    }
}
