//! The command line: what can be called, and the options that every command has.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser};

use crate::commands::Command;
use crate::failure::EXIT_CODES;

const ABOUT: &str = "Operates governed mutation requests in Redis";

const LONG_ABOUT: &str = "Operates governed mutation requests in Redis: finds and explains them, submits and decides them, \
and checks, repairs, exports and imports what is stored.\n\n\
The server, the namespace and who acts come from options, environment variables or a configuration file \
($XDG_CONFIG_HOME/mutatorctl/config.toml). A command that changes anything shows what would become of it and asks; \
with --yes it does not ask.";

#[derive(Parser)]
#[command(name = "mutatorctl", version, about = ABOUT, long_about = LONG_ABOUT, after_long_help = EXIT_CODES)]
#[command(max_term_width = 100, disable_help_subcommand = true)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) general: GeneralOptions,

    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Where the requests are, and who acts.
#[derive(Args, Default)]
#[command(next_help_heading = "General options")]
pub(crate) struct GeneralOptions {
    /// The configuration file. Defaults to $XDG_CONFIG_HOME/mutatorctl/config.toml, if it is there
    #[arg(long, global = true, value_name = "FILE", env = "MUTATORCTL_CONFIG", hide_env_values = true)]
    pub(crate) config: Option<PathBuf>,

    /// The URL of the server, such as redis://host:6379; with --cluster those of some nodes, with --sentinel those of all
    /// Sentinels, separated by commas. Others on this machine can see options: a URL with a password belongs in the environment variable or in a file
    #[arg(long, global = true, env = "MUTATORCTL_URL", hide_env_values = true)]
    pub(crate) url: Option<String>,

    /// Reads the URL from this file
    #[arg(long, global = true, value_name = "FILE", conflicts_with = "url")]
    pub(crate) url_file: Option<PathBuf>,

    /// The server is a node of a Redis Cluster
    #[arg(long, global = true)]
    pub(crate) cluster: bool,

    /// The URLs are of Sentinels, which watch the server under this name
    #[arg(long, global = true, value_name = "NAME", conflicts_with = "cluster")]
    pub(crate) sentinel: Option<String>,

    /// The namespace. Defaults to governance
    #[arg(long, short, global = true, env = "MUTATORCTL_NAMESPACE", hide_env_values = true)]
    pub(crate) namespace: Option<String>,

    /// How long one call to the server may take. Defaults to 5s
    #[arg(long, global = true, value_name = "DURATION", value_parser = crate::values::duration)]
    pub(crate) timeout: Option<Duration>,

    /// Who acts: the id of a person; the configuration file may name their roles and groups
    #[arg(long = "as", global = true, value_name = "PERSON")]
    pub(crate) acts_as: Option<String>,

    /// A role of whoever acts; can be repeated
    #[arg(long = "role", global = true, value_name = "ROLE")]
    pub(crate) roles: Vec<String>,

    /// A group of whoever acts; can be repeated
    #[arg(long = "group", global = true, value_name = "GROUP")]
    pub(crate) groups: Vec<String>,

    /// The person for whom whoever acts stands in; takes --grounds
    #[arg(long, global = true, value_name = "PERSON", requires = "grounds")]
    pub(crate) acting_for: Option<String>,

    /// Why they stand in
    #[arg(long, global = true, value_name = "TEXT", requires = "acting_for")]
    pub(crate) grounds: Option<String>,

    /// Prints JSON: one object, or one line for each row
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_options_fit_together() {
        Arguments::command().debug_assert();
    }
}
