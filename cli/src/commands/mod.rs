//! The commands, one file for each group.

mod acl;
mod archive;
mod change;
mod check;
mod deciding;
mod decisions;
mod explain;
mod generate;
mod handling;
mod health;
mod inbox;
mod inspect;
mod layout;
mod list;
mod pages;
mod policy;
mod proof;
mod ready;
mod remove;
mod retention;
mod show;
mod stats;
mod submit;
mod sweep;
mod timeline;
mod watch;

use clap::Subcommand;

use crate::failure::Failure;
use crate::session::Session;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Lists requests
    List(Box<list::List>),
    /// Shows a request: its timeline, its approvals, and what it waits for
    Show(show::Show),
    /// Lists the approvals that a person can decide now
    Inbox(inbox::Inbox),
    /// Explains why a request has its status, and who can move it on
    Explain(explain::Explain),
    /// Lists what is ready to be executed, in the order in which it became ready
    Ready(Box<ready::Ready>),
    /// Lists decisions, the latest first
    Decisions(Box<decisions::Decisions>),
    /// Counts requests by status and by what they wait for
    Stats(Box<stats::Stats>),
    /// Follows every write, as it happens
    Watch(watch::Watch),

    /// Submits a request from a file in TOML or JSON
    Submit(submit::Submit),
    /// Approves all that whoever acts may approve now
    Approve(deciding::Approve),
    /// Rejects all that whoever acts may reject now
    Reject(deciding::Reject),
    /// Comments on a request
    Comment(handling::Comment),
    /// Hands an approval on to another person
    Delegate(handling::Delegate),
    /// Sends a request back to its requester for changes
    RequestChanges(handling::RequestChanges),
    /// Withdraws the votes of whoever acts
    Withdraw(deciding::Withdraw),
    /// Cancels a request
    Cancel(handling::Cancel),
    /// Expires what is due, and records escalations
    ExpireDue(sweep::ExpireDue),

    /// Removes a request that has ended, for ever
    Remove(remove::Remove),
    /// Removes, for ever, what is due by a retention policy
    Retention(retention::Retention),

    /// Compares all requests with all indexes; changes nothing
    Verify(check::Verify),
    /// Makes the indexes agree with the requests again
    Repair(check::Repair),
    /// Rewrites requests of an older stored format in the newest
    Migrate(check::Migrate),
    /// Rebuilds the indexes, for this release or for another choice of indexes
    Reindex(layout::Reindex),
    /// Multiplies the number of partitions
    Repartition(layout::Repartition),
    /// Writes requests to an archive in a directory
    Export(Box<archive::Export>),
    /// Stores the requests of an archive as they were
    Import(archive::Import),

    /// Verifies histories, and makes checkpoints of them
    #[command(subcommand)]
    Proof(proof::Proof),

    /// Shows how a request is stored: its record, its header, its index entries
    Inspect(inspect::Inspect),
    /// Checks the server, and shows the namespace, its statistics and its followers
    Health(health::Health),
    /// Prints the server's rules for the users of a namespace
    Acl(acl::Acl),
    /// Checks policies
    #[command(subcommand)]
    Policy(policy::Policy),
    /// Prints completions for a shell
    Completions(generate::Completions),
    /// Prints the manual page, or writes one for each command into a directory
    Man(generate::Man),
}

impl Command {
    pub(crate) fn run(self, session: &mut Session) -> Result<(), Failure> {
        match self {
            Self::List(list) => list.run(session),
            Self::Show(show) => show.run(session),
            Self::Inbox(inbox) => inbox.run(session),
            Self::Explain(explain) => explain.run(session),
            Self::Ready(ready) => ready.run(session),
            Self::Decisions(decisions) => decisions.run(session),
            Self::Stats(stats) => stats.run(session),
            Self::Watch(watch) => watch.run(session),
            Self::Submit(submit) => submit.run(session),
            Self::Approve(approve) => approve.run(session),
            Self::Reject(reject) => reject.run(session),
            Self::Comment(comment) => comment.run(session),
            Self::Delegate(delegate) => delegate.run(session),
            Self::RequestChanges(request_changes) => request_changes.run(session),
            Self::Withdraw(withdraw) => withdraw.run(session),
            Self::Cancel(cancel) => cancel.run(session),
            Self::ExpireDue(expire_due) => expire_due.run(session),
            Self::Remove(remove) => remove.run(session),
            Self::Retention(retention) => retention.run(session),
            Self::Verify(verify) => verify.run(session),
            Self::Repair(repair) => repair.run(session),
            Self::Migrate(migrate) => migrate.run(session),
            Self::Reindex(reindex) => reindex.run(session),
            Self::Repartition(repartition) => repartition.run(session),
            Self::Export(export) => export.run(session),
            Self::Import(import) => import.run(session),
            Self::Proof(proof) => proof.run(session),
            Self::Inspect(inspect) => inspect.run(session),
            Self::Health(health) => health.run(session),
            Self::Acl(acl) => acl.run(session),
            Self::Policy(policy) => policy.run(session),
            Self::Completions(completions) => completions.run(session),
            Self::Man(man) => man.run(session),
        }
    }
}
