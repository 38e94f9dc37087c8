//! `policy`: policies in a file, and what they demand of a draft.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use mutator_governance::policy::{Policy as OnePolicy, PolicySet};
use mutator_governance::workflow::submit;
use mutator_governance::{RequestId, Timestamp, WriteId};

use super::show::whole;
use super::submit::read_draft;
use crate::failure::Failure;
use crate::session::Session;
use crate::text;

#[derive(Subcommand)]
pub(crate) enum Policy {
    /// Reads policies from a file, and says what is wrong with them and where
    Check(Check),
}

/// Takes no connection.
#[derive(Args)]
pub(crate) struct Check {
    /// The file in TOML or JSON
    file: PathBuf,

    /// Also shows which apply to the draft in this file, and the request that they make of it
    #[arg(long, value_name = "FILE")]
    draft: Option<PathBuf>,
}

impl Policy {
    pub(crate) fn run(self, session: &mut Session) -> Result<(), Failure> {
        let Self::Check(check) = self;
        check.run(session)
    }
}

impl Check {
    fn run(self, session: &mut Session) -> Result<(), Failure> {
        let policies = PolicySet::from_file(&self.file)?;
        let Some(file) = &self.draft else {
            if session.is_json() {
                return session.json(&policies);
            }
            session.print(text::table(&HEAD, policies.policies().iter().map(cells).collect()))?;
            let number = text::count(policies.policies().len() as u64, "policy").replace("policys", "policies");
            return session.line(format_args!("{number}; each can be met"));
        };
        let draft = read_draft(session, file)?;
        let applying = policies.applying_to(&draft).into_iter().map(cells).collect();
        let now = Timestamp::now();
        let request = submit(policies.draft(draft, now)?, RequestId::generate(), WriteId::generate(), now)?;
        if session.is_json() {
            return session.json(&request);
        }
        session.print("These apply\n")?;
        session.print(text::table(&HEAD, applying))?;
        session.print("\nThe request\n")?;
        session.print(whole(&request, now))
    }
}

const HEAD: [&str; 3] = ["POLICY", "VERSION", "DESCRIPTION"];

fn cells(policy: &OnePolicy) -> Vec<String> {
    vec![policy.name().to_string(), policy.version().to_string(), policy.description().to_owned()]
}
