//! Stories about how a waiting request ends.

use mutator_governance::workflow::Command;
use mutator_governance::{Pending, PendingReason, RequestId};

use super::people::{change, person};
use super::story::Diary;
use crate::support::Result;

/// Adds the stories.
pub fn tell(diary: &mut Diary) -> Result<()> {
    canceled(diary)?;
    superseded(diary)?;
    expired(diary)
}

fn canceled(diary: &mut Diary) -> Result<()> {
    diary.begin("A request is no longer needed", &["cache-1"])?;
    diary.submitted(change("cache-1", "cache:shop", "empty")?.waiting_for(PendingReason::ManualReview));
    diary.did("cache-1", Command::cancel(person("rita")?.because("The new release empties it")))
}

fn superseded(diary: &mut Diary) -> Result<()> {
    diary.begin("A better request replaces another", &["patch-1", "patch-2"])?;
    diary.submitted(change("patch-1", "cluster:eu", "patch")?.waiting_for(PendingReason::ExternalCheck));
    diary.submitted(change("patch-2", "cluster:eu", "patch and reboot")?);
    let why = person("rita")?.because("The first lacks a reboot");
    diary.did("patch-1", Command::supersede(why, RequestId::new("patch-2")?))?;
    diary.did("patch-2", Command::approve_request(person("mona")?))
}

fn expired(diary: &mut Diary) -> Result<()> {
    diary.begin("A request waits too long", &["quota-1"])?;
    let quota = Pending { reason: PendingReason::Quota, expires_at: Some(diary.in_hours(3)) };
    diary.submitted(change("quota-1", "cluster:eu", "add ten nodes")?.waiting_for(quota));
    diary.hours_pass(3);
    diary.swept();
    Ok(())
}
