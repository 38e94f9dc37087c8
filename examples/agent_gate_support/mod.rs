//! Shared by the two flavours of `agent_gate`: the tool, the call that an agent wants to make, and the people.

#![allow(dead_code, unreachable_pub, reason = "each flavour uses this module for itself")]

pub mod agents;

use std::time::Duration;

use mutator_governance::workflow::{Completion, ExecutionOrder, Failure, explain};
use mutator_governance::{
    ActorContext, ApprovalRule, Intent, InvalidValue, MutationRequest, Payload, Pending, PendingReason, RequestDraft,
    RequestId, Severity, SideEffect, StateVersion, Target, Timestamp,
};

use crate::support::Result;
use agents::Journal;

/// How long an agent waits for a person before it gives up its turn; it can ask again at any time.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// What the lines begin with by which an agent says where it is.
pub const WAITS: &str = "waits for a person";
pub const DECIDED: &str = "sees that it is approved";
pub const SENDS: &str = "MAIL SERVER: sends";

/// Where the story ends an agent, as a crash or a deployment could.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Killed {
    Never,
    WhileItWaits,
    RightAfterTheDecision,
}

/// A call of the tool "send mail". Its name is a step of the agent's plan: an agent that begins again makes the same call.
pub struct ToolCall {
    pub step: String,
    pub text: &'static str,
    /// How long a person may take.
    pub within: Duration,
}

impl ToolCall {
    /// The call that this step of the plan makes.
    pub fn of(step: &str) -> Self {
        let (text, seconds) = match step {
            "offer" => ("Our spring offer, to 214 customers", 3_600),
            "apology" => ("Our apology for Monday, to 90 customers", 3_600),
            "all-caps" => ("BUY NOW!!!, to everybody", 3_600),
            _ => ("Today only, to 12 customers", 2),
        };
        Self { step: step.to_owned(), text, within: Duration::from_secs(seconds) }
    }

    /// The request under which the call is decided and made. The agent acts for Rita, so neither of them may approve it.
    pub fn draft(&self, now: Timestamp) -> Result<RequestDraft> {
        let deadline = now.saturating_add(self.within);
        let agent = ActorContext::service("agent-7")?.acting_for("rita", "plan 12 of rita")?;
        let target = Target::new("mailbox:sales", "Mailbox", "ToolCall")?;
        let draft = RequestDraft::new(target, Intent::new("send mail", "Agents")?, agent)
            .with_id(self.id()?)
            .with_payload(Payload::new("text/plain", self.text.as_bytes().to_vec())?)
            .requires_approval(ApprovalRule::role("operator")?)
            .waiting_for(Pending { reason: PendingReason::Approval, expires_at: Some(deadline) });
        Ok(draft)
    }

    pub fn id(&self) -> Result<RequestId, InvalidValue> {
        RequestId::new(format!("plan-12-{}", self.step))
    }

    /// Whether the request is about this very call: a plan that has changed since needs another decision.
    pub fn is_asked_by(&self, request: &MutationRequest) -> bool {
        request.payload.as_ref().is_some_and(|payload| payload.bytes() == self.text.as_bytes())
    }
}

/// How the call is made, once: by whom, and for how long nobody else makes it if this agent dies meanwhile.
pub fn order() -> Result<ExecutionOrder> {
    // A mailbox has no versions that a mail could be stale for.
    Ok(ExecutionOrder::new(ActorContext::service("agent-7")?, StateVersion::new("1")?))
}

/// The tool. It sends what was approved, under the id of the request, by which a mail server knows a repetition.
pub fn send(request: &MutationRequest, journal: &Journal) -> Result<Completion, Failure> {
    let payload = request.payload.as_ref().ok_or_else(|| Failure::new("the request has no mail"))?;
    let text = String::from_utf8_lossy(payload.bytes()).into_owned();
    journal.line(format!("{SENDS} {:?} under the key {}", text, request.id));
    let invalid = |error: InvalidValue| Failure::new(error.to_string());
    let effect = SideEffect::new("MailSent", text, Severity::Info, Timestamp::now()).map_err(invalid)?;
    Ok(Completion::new().with_side_effect(effect))
}

/// What an agent says at the end: the request tells it everything, whoever made the call.
pub fn told(request: &MutationRequest, now: Timestamp) -> String {
    match request.side_effects.first() {
        Some(effect) => format!("goes on with its plan, since it was sent: {}", effect.description()),
        None => format!("goes on without it: {} {}", request.id, explain(request, now)),
    }
}

/// Rita, for whom the agent works. She is an operator too.
pub fn rita() -> Result<ActorContext> {
    Ok(ActorContext::user("rita")?.named("Rita").with_role("operator")?)
}

/// Olga, another operator.
pub fn olga() -> Result<ActorContext> {
    Ok(ActorContext::user("olga")?.named("Olga").with_role("operator")?)
}
