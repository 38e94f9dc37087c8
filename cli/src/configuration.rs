//! The configuration file: the server, the namespace, and who people are.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::failure::Failure;
use crate::text::without_login;

/// What the file may say. An option or an environment variable wins over it.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Configuration {
    pub(crate) url: Option<String>,
    /// Beside the configuration file, unless the path is absolute.
    pub(crate) url_file: Option<PathBuf>,
    #[serde(default)]
    pub(crate) cluster: bool,
    /// The name under which Sentinels watch the server.
    pub(crate) sentinel: Option<String>,
    /// The login of that server, `user:password`; the one in the URLs is for the Sentinels.
    pub(crate) server_login_file: Option<PathBuf>,
    pub(crate) namespace: Option<String>,
    pub(crate) timeout: Option<String>,
    /// Who acts.
    #[serde(rename = "as")]
    pub(crate) acts_as: Option<String>,
    /// The people by their ids.
    #[serde(default)]
    pub(crate) people: BTreeMap<String, Person>,
    /// The keys that seal, and that seals are verified with; beside the configuration file, unless the path is absolute.
    pub(crate) seal_keys: Option<PathBuf>,
    #[serde(default)]
    pub(crate) tls: Tls,
    /// Where it was read from.
    #[serde(skip)]
    pub(crate) path: Option<PathBuf>,
}

/// What `--as` stands for.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Person {
    pub(crate) name: Option<String>,
    #[serde(default)]
    pub(crate) roles: Vec<String>,
    #[serde(default)]
    pub(crate) groups: Vec<String>,
}

/// Files in PEM for `rediss://`.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tls {
    pub(crate) root_certificates: Option<PathBuf>,
    pub(crate) client_certificate: Option<PathBuf>,
    pub(crate) client_key: Option<PathBuf>,
    pub(crate) server_name: Option<String>,
}

impl Configuration {
    /// The file that the option names, or the usual one if it is there.
    pub(crate) fn read(named: Option<&Path>) -> Result<Self, Failure> {
        let usual = usual_path();
        let Some(path) = named.or(usual.as_deref()) else { return Ok(Self::default()) };
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if named.is_none() && error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(Failure::file(path, &error)),
        };
        // The error's own text shows the line, which may be the one with the password.
        let mut read: Self = toml::from_str(&text).map_err(|error| {
            let before = text.get(..error.span().map_or(0, |span| span.start)).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            Failure::Usage(format!("{} line {line}: {}", path.display(), without_login(error.message())))
        })?;
        read.path = Some(path.to_owned());
        Ok(read)
    }

    /// A path of the file, which is relative to its directory.
    pub(crate) fn beside(&self, path: &Path) -> PathBuf {
        let directory = self.path.as_deref().and_then(Path::parent);
        directory.map_or_else(|| path.to_owned(), |directory| directory.join(path))
    }
}

fn usual_path() -> Option<PathBuf> {
    directory("XDG_CONFIG_HOME", ".config").map(|directory| directory.join("mutatorctl/config.toml"))
}

/// A directory of the XDG base directories: that of the variable, or this one of the home.
pub(crate) fn directory(variable: &str, in_home: &str) -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set(variable).or_else(|| set("HOME").map(|home| home.join(in_home)))
}
