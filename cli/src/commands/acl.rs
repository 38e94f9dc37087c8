//! `acl`: the rules of `docs/acl` for a namespace.

use clap::{Args, ValueEnum};

use crate::failure::Failure;
use crate::session::Session;

/// Takes no connection. The lines fit an ACL file of the server; put a password in place of PASSWORD.
#[derive(Args)]
pub(crate) struct Acl {
    /// Only for this role
    #[arg(long = "for", value_name = "ROLE")]
    role: Option<Role>,

    /// The name of the user. Defaults to the role
    #[arg(long, value_name = "NAME", requires = "role")]
    user: Option<String>,

    /// Prints commands for redis-cli instead of lines of an ACL file
    #[arg(long)]
    commands: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Role {
    /// Programs that submit, decide, execute and query
    Application,
    /// Reports, dashboards, followers of the change feed
    Reader,
    /// Whoever creates, checks, repairs and rebuilds the namespace
    Deployer,
}

/// The rules that a test of the library gives to real servers.
const RULES: &str = include_str!("../../../docs/acl/billing.acl");
const NAMESPACE_OF_RULES: &str = "billing";
/// What every user of a cluster needs too.
const OF_CLUSTER: &str = "+cluster|info +cluster|slots +cluster|shards +asking";

impl Role {
    const fn user_in_rules(self) -> &'static str {
        match self {
            Self::Application => "application",
            Self::Reader => "reader",
            Self::Deployer => "deployer",
        }
    }
}

impl Acl {
    pub(crate) fn run(self, session: &mut Session) -> Result<(), Failure> {
        let namespace = session.namespace().to_owned();
        // A pattern in its place would widen the rules.
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        if namespace.is_empty() || namespace.len() > 64 || !namespace.chars().all(is_plain) {
            let problem = "it has 1 to 64 letters, digits, dots, dashes and underscores";
            return Err(Failure::Usage(format!("{namespace:?} is no namespace: {problem}")));
        }
        let is_cluster = session.general.cluster || session.configuration.cluster;
        let roles = self.role.map_or_else(|| Role::value_variants().to_vec(), |role| vec![role]);
        for role in roles {
            let rule = rule(role, &namespace, is_cluster);
            let user = self.user.as_deref().unwrap_or(role.user_in_rules());
            // Quoted for redis-cli, whose words end at spaces.
            let line = if self.commands {
                format!("ACL SETUSER {user} reset {}", quoted_selector(&rule))
            } else {
                format!("user {user} {rule}")
            };
            session.line(line)?;
        }
        Ok(())
    }
}

/// The rules of a role, from its first on.
fn rule(role: Role, namespace: &str, is_cluster: bool) -> String {
    let begin = format!("user {} ", role.user_in_rules());
    let line = RULES.lines().find_map(|line| line.strip_prefix(&begin)).unwrap_or_default();
    let password = format!(">{}-password", role.user_in_rules());
    let in_braces = |name: &str, after: &str| format!("{{{name}{after}");
    let line = line
        .replace(&password, ">PASSWORD")
        .replace(&in_braces(NAMESPACE_OF_RULES, ":"), &in_braces(namespace, ":"))
        .replace(&in_braces(NAMESPACE_OF_RULES, "}"), &in_braces(namespace, "}"));
    match line.split_once(" ~") {
        Some((commands, keys)) if is_cluster => format!("{commands} {OF_CLUSTER} ~{keys}"),
        _ => line,
    }
}

fn quoted_selector(rule: &str) -> String {
    rule.replace('(', "\"(").replace(')', ")\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_are_those_of_the_documentation_for_another_namespace() {
        for role in Role::value_variants() {
            let found = rule(*role, "payroll", false);
            assert!(found.starts_with("on >PASSWORD -@all +info"), "{found}");
            assert!(found.contains("~{payroll:*}:* (") && found.contains("~{payroll}:meta)"), "{found}");
            assert!(!found.contains("billing") && !found.contains("-password"), "{found}");
            assert!(rule(*role, "payroll", true).contains("+asking ~{payroll:*}"), "{found}");
        }
    }
}
