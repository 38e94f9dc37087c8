//! One call: its options, who acts, and its output.

use std::fmt::Display;
use std::io::{self, IsTerminal as _, Write};

use mutator_governance::ActorContext;
use serde::Serialize;

use crate::arguments::GeneralOptions;
use crate::configuration::Configuration;
use crate::failure::{Failure, of_output};
use crate::text::printable;

pub(crate) struct Session {
    pub(crate) general: GeneralOptions,
    pub(crate) configuration: Configuration,
    output: io::Stdout,
}

impl Session {
    pub(crate) fn new(general: GeneralOptions) -> Result<Self, Failure> {
        let configuration = Configuration::read(general.config.as_deref())?;
        Ok(Self { general, configuration, output: io::stdout() })
    }

    pub(crate) const fn is_json(&self) -> bool {
        self.general.json
    }

    /// Whoever acts, with the roles and groups that options and configuration give them.
    pub(crate) fn actor(&self) -> Result<ActorContext, Failure> {
        let GeneralOptions { roles, groups, acting_for, grounds, .. } = &self.general;
        let Some(id) = self.acting_id() else {
            let problem =
                "nobody is said to act: give --as PERSON, or write as = \"PERSON\" into the configuration file";
            return Err(Failure::usage(problem));
        };
        let person = self.configuration.people.get(id).cloned().unwrap_or_default();
        let mut actor = ActorContext::user(id)?
            .with_roles(person.roles.iter().chain(roles).map(String::as_str))?
            .with_groups(person.groups.iter().chain(groups).map(String::as_str))?;
        if let Some(name) = person.name {
            actor = actor.named(name);
        }
        if let (Some(absent), Some(grounds)) = (acting_for, grounds) {
            actor = actor.acting_for(absent, grounds)?;
        }
        Ok(actor)
    }

    /// The id of whoever acts, if anybody is named.
    pub(crate) fn acting_id(&self) -> Option<&str> {
        self.general.acts_as.as_deref().or(self.configuration.acts_as.as_deref())
    }

    /// Prints text as it is, which [`text`](crate::text) made.
    pub(crate) fn print(&mut self, text: impl Display) -> Result<(), Failure> {
        write!(self.output, "{text}").and_then(|()| self.output.flush()).map_err(|error| of_output(&error))
    }

    /// Prints one line of any text.
    pub(crate) fn line(&mut self, text: impl Display) -> Result<(), Failure> {
        self.print(format_args!("{}\n", printable(text)))
    }

    /// Prints bytes as they are; on a terminal as text that it does not obey.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        if self.output.is_terminal() {
            return String::from_utf8_lossy(bytes).lines().try_for_each(|line| self.line(line));
        }
        self.output.write_all(bytes).and_then(|()| self.output.flush()).map_err(|error| of_output(&error))
    }

    /// Prints an object for people.
    pub(crate) fn json(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(value).map_err(|error| not_json(&error))?;
        self.print(format_args!("{text}\n"))
    }

    /// Prints an object on one line, for one row of many.
    pub(crate) fn json_line(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        let text = serde_json::to_string(value).map_err(|error| not_json(&error))?;
        self.print(format_args!("{text}\n"))
    }
}

fn not_json(error: &serde_json::Error) -> Failure {
    Failure::File(format!("the output cannot be written as JSON: {error}"))
}

/// Something beside the result: a hint, a warning.
pub(crate) fn note(text: impl Display) {
    // Nobody can be informed that they cannot be informed.
    let _ = writeln!(io::stderr(), "{}", printable(text));
}
