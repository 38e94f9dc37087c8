//! An explanation in words.

use std::fmt;

use super::explain::{Expiring, Explanation, Following};
use super::open_demand::OpenDemand;
use super::phrase::{self, approvals, list, reason, votes, when, who};
use crate::request::{
    ApprovalId, Claim, Decision, LifecycleDecision, Pending, PendingReason, RequestState, Step, Timestamp,
};

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.state {
            RequestState::Pending(pending) => {
                self.write_pending(f, *pending)?;
                match self.not_before.filter(|time| *time > self.now) {
                    Some(time) => write!(f, "; it is not executed before {time}"),
                    None => Ok(()),
                }
            }
            RequestState::Created => f.write_str("was submitted; nobody has to do anything yet"),
            RequestState::Approved => self.write_approved(f),
            RequestState::Executed { resulting_version, .. } => {
                let by = self.decided(LifecycleDecision::Executed).map(|decision| format!(" by {}", who(&decision.by)));
                write!(f, "was executed{}", by.unwrap_or_default())?;
                if let Some(version) = resulting_version {
                    write!(f, ", which made version {version}")?;
                }
                match self.compensated_by.as_slice() {
                    [] => Ok(()),
                    requests => write!(f, "; compensated since by request {}", list(requests, ", ", " and ")),
                }
            }
            RequestState::Superseded { by: request } => {
                let by = |by: &str| format!(" (recorded by {by})");
                self.write_end(f, &format!("was superseded by request {request}"), LifecycleDecision::Superseded, by)
            }
            RequestState::Rejected => {
                self.write_end(f, "was rejected", LifecycleDecision::Rejected, |by| format!(" by {by}"))
            }
            RequestState::Canceled => {
                self.write_end(f, "was canceled", LifecycleDecision::Canceled, |by| format!(" by {by}"))
            }
            // Time expires it, and somebody records that.
            RequestState::Expired => {
                self.write_end(f, "has expired", LifecycleDecision::Expired, |by| format!(" (recorded by {by})"))
            }
        }
    }
}

/// Pending requests.
impl Explanation {
    fn write_pending(&self, f: &mut fmt::Formatter<'_>, pending: Pending) -> fmt::Result {
        if let Some(deadline) = pending.expires_at.filter(|deadline| *deadline <= self.now) {
            write!(f, "waited for {} until {deadline}; ", awaited(pending.reason))?;
            return f.write_str("it can no longer be moved on, and the next sweep expires it");
        }
        if let Some(requester) = &self.corrected_by {
            write!(f, "waits for {} to correct it", who(requester))?;
            if let Some(asked) = &self.since {
                write!(f, ", as {} asked{}", who(&asked.by), reason(asked.reason.as_deref()))?;
            }
            return self.write_deadline(f);
        }
        if pending.reason != PendingReason::Approval {
            write!(f, "waits for {}; {}", awaited(pending.reason), self.what_follows())?;
            return self.write_deadline(f);
        }
        let impossible: Vec<&OpenDemand> = self.impossible().collect();
        if impossible.is_empty() {
            let active = list(self.active().map(phrase::demand), " and for ", " and for ");
            write!(f, "waits for {active}; {}", self.step(self.active_step))?;
            return self.write_deadline(f);
        }
        write!(f, "can no longer be approved: {}; ", self.whys(&impossible))?;
        f.write_str(if self.deadline.is_some_and(|deadline| deadline <= self.now) {
            "the next sweep rejects it"
        } else {
            "reject or cancel it"
        })
    }

    fn step(&self, step: Option<Step>) -> String {
        let ordinal = self.order.iter().take_while(|other| step.is_some_and(|step| **other <= step)).count();
        format!("step {ordinal} of {}", self.steps)
    }

    fn whys(&self, impossible: &[&OpenDemand]) -> String {
        list(impossible.iter().map(|demand| self.why_impossible(demand)), ", ", " and ")
    }

    fn why_impossible(&self, demand: &OpenDemand) -> String {
        let step = self.step(Some(demand.step));
        match (&demand.group, demand.overdue.as_slice(), demand.open.as_slice()) {
            (None, [(id, end), ..], _) => self.why_overdue(demand, id, *end),
            (None, [], [open, ..]) => format!("nobody may decide {} ({step})", open.id.in_words()),
            (None, [], []) => format!("an approval of {step} was rejected or has expired"),
            (Some(group), [], _) => {
                format!("{group} ({step}) is missing {}, and too few people are left", votes(demand.missing))
            }
            (Some(group), overdue, _) => {
                let (ids, were) = (approvals(overdue.iter().map(|(id, _)| id)), was(overdue.len() == 1));
                format!("{group} ({step}) is missing {}, and {ids} {were} not decided in time", votes(demand.missing))
            }
        }
    }

    fn what_follows(&self) -> String {
        let (unmet, before) = match &self.following {
            Following::Nothing => return "it has no approvals, so approve it directly after that".to_owned(),
            Following::AllMet => return "its approvals are met, so approve it directly after that".to_owned(),
            Following::Demands { unmet, before } => (unmet, before),
        };
        let whys = self.whys_not_asked(unmet);
        if !whys.is_empty() {
            let whys = list(whys, ", ", " and ");
            return format!("its approvals cannot follow: {whys}; override them with a reason, or reject or cancel it");
        }
        let before =
            before.as_ref().map(|(id, end)| format!(" and before {} expires {}", id.in_words(), when(*end, self.now)));
        let before = before.unwrap_or_default();
        let first = unmet.first().map(|demand| demand.step);
        let demands = unmet.iter().filter(|demand| Some(demand.step) == first).map(phrase::demand);
        let demands = list(demands, " and for ", " and for ");
        format!("request its approvals after that{before}, first for {demands} ({})", self.step(first))
    }

    /// An overdue approval blocks the request for all approvals, even if its group does not need it.
    fn whys_not_asked(&self, unmet: &[OpenDemand]) -> Vec<String> {
        let whys = unmet.iter().flat_map(|demand| {
            if demand.is_impossible() {
                return vec![self.why_impossible(demand)];
            }
            demand.overdue.iter().map(|(id, end)| self.why_overdue(demand, id, *end)).collect()
        });
        whys.collect()
    }

    fn why_overdue(&self, demand: &OpenDemand, id: &ApprovalId, end: Timestamp) -> String {
        format!("{} ({}) was not decided by {end}", id.in_words(), self.step(Some(demand.step)))
    }

    fn write_deadline(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(deadline) = self.deadline else { return Ok(()) };
        let (what, is_one, rejects) = match &self.expiring {
            Expiring::Nothing => return Ok(()),
            Expiring::Request => return write!(f, "; the request expires {}", when(deadline, self.now)),
            Expiring::Escalation { id, to } => {
                let to = phrase::addressed(to);
                return write!(f, "; {} is also for {to} {}", id.in_words(), when(deadline, self.now));
            }
            Expiring::Approvals { group: Some(group), rejects, .. } => (group.to_string(), true, *rejects),
            Expiring::Approvals { ids, rejects, .. } => (approvals(ids), ids.len() == 1, *rejects),
        };
        if deadline <= self.now {
            return write!(f, "; {what} {} not decided in time, and the next sweep records that", was(is_one));
        }
        let expire = if is_one { "expires" } else { "expire" };
        let then = if rejects { "which rejects the request" } else { "and enough others remain" };
        write!(f, "; {what} {expire} {}, {then}", when(deadline, self.now))
    }
}

/// Approved requests and final ones.
impl Explanation {
    fn write_approved(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.valid_until {
            Some(end) if end <= self.now => {
                write!(
                    f,
                    "was approved until {end}, and nobody claimed it; it can no longer be executed, and the next "
                )?;
                f.write_str("sweep expires it")?;
                return self.write_failures(f);
            }
            _ => {}
        }
        self.write_execution(f)?;
        if let Some(end) = self.valid_until {
            write!(f, "; valid until {end}, {}", when(end, self.now))?;
        }
        self.write_failures(f)
    }

    fn write_execution(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.claim, &self.obstacle) {
            (Some(Claim { by, lease_ends_at, .. }), _) if *lease_ends_at > self.now => {
                write!(f, "is being executed by {}; {}", who(by), lease(*lease_ends_at, self.now))
            }
            (claim, obstacle) => {
                f.write_str("is approved")?;
                if let Some(Claim { by, lease_ends_at, .. }) = claim {
                    write!(f, "; {} did not finish executing it by {lease_ends_at},", who(by))?;
                }
                match (claim, obstacle) {
                    (None, None) => self.write_readiness(f),
                    (Some(_), None) => f.write_str(" and another executor can take over"),
                    (None, Some(obstacle)) => write!(f, " and cannot be executed: {obstacle}"),
                    (Some(_), Some(obstacle)) => write!(f, " and nobody can take over: {obstacle}"),
                }
            }
        }
    }

    fn write_readiness(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.ready_at, self.not_before) {
            (Some(_), _) if self.next_attempt().is_some() => Ok(()),
            (None, _) if self.next_attempt_at.is_some_and(|next| next > self.now) => {
                f.write_str(" and is not tried again before it is no longer valid")
            }
            (Some(ready), _) if ready > self.now => write!(f, "; ready from {ready}, {}", when(ready, self.now)),
            (None, Some(not_before)) => {
                write!(f, " and is not executed before {not_before}, when it is no longer valid")
            }
            _ => f.write_str(" and can be executed"),
        }
    }

    fn write_failures(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(last) = self.failures.last() else { return Ok(()) };
        match self.failures.len() {
            1 => write!(f, "; failed once, at {}", last.at)?,
            times => write!(f, "; failed {times} times, last at {}", last.at)?,
        }
        write!(f, " by {}{}", who(&last.by), reason(last.reason.as_deref()))?;
        self.next_attempt().map_or(Ok(()), |next| write!(f, "; next attempt {}", when(next, self.now)))
    }

    /// When the next attempt can begin, if the request waits for nothing but that.
    fn next_attempt(&self) -> Option<Timestamp> {
        self.next_attempt_at.filter(|next| *next > self.now && self.ready_at == Some(*next))
    }

    fn write_end(
        &self,
        f: &mut fmt::Formatter<'_>,
        what: &str,
        kind: LifecycleDecision,
        by: fn(&str) -> String,
    ) -> fmt::Result {
        f.write_str(what)?;
        if let Some(decision) = self.decided(kind) {
            write!(f, "{}{}", by(&who(&decision.by)), reason(decision.reason.as_deref()))?;
        }
        match &self.resubmitted_as {
            Some(request) => write!(f, "; resubmitted as request {request}"),
            None => Ok(()),
        }
    }

    fn decided(&self, kind: LifecycleDecision) -> Option<&Decision> {
        self.since.as_ref().filter(|decision| decision.kind == kind.into())
    }
}

fn awaited(reason: PendingReason) -> &'static str {
    match reason {
        PendingReason::Approval => "its approvals",
        PendingReason::ExternalCheck => "an external check",
        PendingReason::Schedule => "its scheduled time",
        PendingReason::Dependency => "something it depends on",
        PendingReason::Quota => "quota",
        PendingReason::ManualReview => "a manual review",
        PendingReason::Correction => "its correction",
        PendingReason::Revalidation => "revalidation",
    }
}

const fn was(is_one: bool) -> &'static str {
    if is_one { "was" } else { "were" }
}

fn lease(ends_at: Timestamp, now: Timestamp) -> String {
    if ends_at == Timestamp::MAX {
        return "the lease has no end".to_owned();
    }
    format!("the lease ends {}, and then another executor can take over", when(ends_at, now))
}
