//! Stories about approvals: votes, deadlines, and who is asked.

use std::time::Duration;

use mutator_governance::workflow::Command;
use mutator_governance::{ActorId, ApprovalId, ApprovalRule, ApprovalTarget, Rejection};

use super::people::{change, managed, person};
use super::story::Diary;
use crate::support::Result;

/// Adds the stories.
pub fn tell(diary: &mut Diary) -> Result<()> {
    votes(diary)?;
    other_approvers(diary)?;
    escalated(diary)?;
    rejected(diary)?;
    too_late(diary)?;
    overridden(diary)
}

fn votes(diary: &mut Diary) -> Result<()> {
    diary.begin("Two of three have to approve, and one vote is withdrawn for a while", &["firewall-1"])?;
    let members = [ApprovalTarget::actor("sam")?, ApprovalTarget::actor("sue")?, ApprovalTarget::actor("dora")?];
    let board = ApprovalRule::quorum("board", 2, members)?.with_id(ApprovalId::new("board")?);
    diary.submitted(change("firewall-1", "firewall:eu", "open port 443")?.requires_approval(board));
    diary.did("firewall-1", Command::approve(person("sam")?))?;
    diary.did("firewall-1", Command::withdraw(person("sam")?.because("The address range is too wide")))?;
    diary.did("firewall-1", Command::approve(person("sue")?.because("It is one address")))?;
    diary.did("firewall-1", Command::approve(person("sam")?.because("Right, it is one")))
}

fn other_approvers(diary: &mut Diary) -> Result<()> {
    diary.begin("The people who approve change while the request waits", &["database-1"])?;
    let lead = ApprovalRule::role("lead")?.with_id(id("lead")?);
    let owner = ApprovalRule::actor("sam")?.with_id(id("owner")?);
    let draft = change("database-1", "database:billing", "move to the new cluster")?;
    diary.submitted(draft.requires_approval(lead).requires_approval(owner));
    let absent = person("leo")?.because("I am on leave until Monday");
    diary.did("database-1", Command::delegate(absent, id("lead")?, ActorId::new("lena")?))?;
    let moved = person("mona")?.because("Billing belongs to Sue's team now");
    diary.did("database-1", Command::reassign(moved, id("owner")?, ApprovalTarget::actor("sue")?))?;
    let personal = person("mona")?.because("It holds personal data");
    let privacy = ApprovalRule::role("director")?.with_id(id("privacy")?);
    diary.did("database-1", Command::add_approval(personal, privacy))?;
    let masked = person("mona")?.because("The personal data is masked");
    diary.did("database-1", Command::remove_approval(masked, id("privacy")?))?;
    diary.did("database-1", Command::approve(person("lena")?))?;
    diary.did("database-1", Command::approve(person("sue")?))
}

fn escalated(diary: &mut Diary) -> Result<()> {
    diary.begin("Nobody answers for four hours, so a director is asked too", &["restart-1"])?;
    let four_hours = Duration::from_secs(4 * 60 * 60);
    let rule = ApprovalRule::role("lead")?.escalates_after(four_hours, ApprovalTarget::role("director")?)?;
    diary.submitted(change("restart-1", "cluster:eu", "restart")?.requires_approval(rule.with_id(id("lead")?)));
    diary.hours_pass(4);
    diary.swept();
    diary.did("restart-1", Command::approve(person("dora")?.because("Leo is on a plane")))
}

fn rejected(diary: &mut Diary) -> Result<()> {
    diary.begin("An approver says no", &["wages-1"])?;
    diary.submitted(managed("wages-1", "database:wages", "copy to the test system")?);
    let why = Rejection::new("PRIVACY", "Wages never leave production").in_category("Compliance");
    diary.did("wages-1", Command::reject(person("mona")?, Some(why)))
}

fn too_late(diary: &mut Diary) -> Result<()> {
    diary.begin("Nobody approves in time", &["license-1"])?;
    let rule = ApprovalRule::role("manager")?.expiring_at(diary.in_hours(8)).with_id(id("manager")?);
    diary.submitted(change("license-1", "licenses:acme", "buy ten seats")?.requires_approval(rule));
    diary.hours_pass(8);
    diary.swept();
    Ok(())
}

fn overridden(diary: &mut Diary) -> Result<()> {
    diary.begin("An emergency: a director overrides the approvals, and the history says so", &["outage-1"])?;
    diary.submitted(managed("outage-1", "cluster:us", "fail over to the other site")?);
    diary.did("outage-1", Command::override_approvals(person("dora")?.because("Site down, incident 4711")))
}

fn id(text: &str) -> Result<ApprovalId> {
    Ok(ApprovalId::new(text)?)
}
