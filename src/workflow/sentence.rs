//! An explanation in words.

use std::fmt;
use std::time::Duration;

use super::explain::Explanation;
use super::open_demand::OpenDemand;
use crate::request::{Claim, PendingReason, RequestState};

/// How many names a sentence gives before it says how many there are beside.
const NAMED: usize = 8;

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.state {
            RequestState::Pending(pending) => {
                write!(f, "waits for {}", self.awaited(pending.reason))?;
                self.write_steps(f)?;
                self.write_impossible(f)?;
                self.write_deadline(f)
            }
            RequestState::Created => f.write_str("was filed; nothing is asked of anybody yet"),
            RequestState::Approved => self.write_approved(f),
            RequestState::Superseded { by } => write!(f, "was superseded by request {by}"),
            RequestState::Executed { resulting_version: Some(version), .. } => {
                write!(f, "was executed, which made version {version}")
            }
            RequestState::Executed { .. } => f.write_str("was executed"),
            RequestState::Rejected => self.write_end(f, "was rejected", |by| format!(" by {by}")),
            RequestState::Canceled => self.write_end(f, "was canceled", |by| format!(" by {by}")),
            // Nobody lets it expire: time does, and somebody records that.
            RequestState::Expired => self.write_end(f, "has expired", |by| format!(" (recorded by {by})")),
        }
    }
}

impl Explanation {
    fn awaited(&self, reason: PendingReason) -> String {
        match reason {
            PendingReason::Approval => {
                let active: Vec<String> = self.active().map(in_words).collect();
                if active.is_empty() { "approval".to_owned() } else { active.join(" and for ") }
            }
            PendingReason::ExternalCheck => "an external check".to_owned(),
            PendingReason::Schedule => "its scheduled time".to_owned(),
            PendingReason::Dependency => "something it depends on".to_owned(),
            PendingReason::Quota => "quota".to_owned(),
            PendingReason::ManualReview => "a manual review".to_owned(),
        }
    }

    fn write_steps(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.active_step.is_none() {
            return Ok(());
        }
        write!(f, "; step {} of {}", self.step_ordinal, self.steps)
    }

    fn write_impossible(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.impossible().try_for_each(|demand| match &demand.group {
            Some(group) => write!(f, "; {group} can no longer be met"),
            None => write!(f, "; nobody can grant an approval of step {}", demand.step),
        })
    }

    fn write_deadline(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.deadline {
            None => Ok(()),
            Some(deadline) if deadline > self.now => {
                write!(f, "; expires in {}", rounded(deadline.duration_since(self.now)))
            }
            Some(deadline) => write!(f, "; due to expire since {deadline}"),
        }
    }

    fn write_approved(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.claim {
            None => f.write_str("is approved and can be executed"),
            Some(Claim { by, lease_ends_at, .. }) if *lease_ends_at > self.now => {
                let left = rounded(lease_ends_at.duration_since(self.now));
                write!(f, "is being executed by {}; the lease ends in {left}", by.label())
            }
            Some(Claim { by, lease_ends_at, .. }) => {
                write!(f, "is approved; {} did not finish executing it by {lease_ends_at}, ", by.label())?;
                f.write_str("and another executor can take over")
            }
        }
    }

    fn write_end(&self, f: &mut fmt::Formatter<'_>, what: &str, by: fn(&str) -> String) -> fmt::Result {
        f.write_str(what)?;
        let Some(decision) = &self.since else { return Ok(()) };
        f.write_str(&by(decision.by.label()))?;
        decision.reason.as_ref().map_or(Ok(()), |reason| write!(f, ": {reason}"))
    }
}

fn in_words(demand: &OpenDemand) -> String {
    let who = deciders(demand);
    match &demand.group {
        Some(group) => format!("{} more of {group} ({who})", demand.missing),
        None => who,
    }
}

fn deciders(demand: &OpenDemand) -> String {
    let mut names: Vec<String> = Vec::new();
    for open in &demand.open {
        let ids = open.ids().map(ToString::to_string);
        let roles = open.target.roles().iter().map(|role| format!("role {role}"));
        let groups = open.target.groups().iter().map(|group| format!("group {group}"));
        for name in ids.chain(roles).chain(groups) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    let (separator, last) = if demand.group.is_some() { (", ", " and ") } else { (" or ", " or ") };
    match names.len().saturating_sub(NAMED) {
        _ if names.is_empty() => "nobody".to_owned(),
        0 => names.join(separator),
        beside => {
            names.truncate(NAMED);
            format!("{}{last}{beside} others", names.join(separator))
        }
    }
}

/// The duration in its greatest unit, the rest cut off.
fn rounded(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0 => "less than 1 s".to_owned(),
        1..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}
