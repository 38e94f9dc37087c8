//! The login to the server.

use std::fmt;

use redis::RedisConnectionInfo;

/// A user name and a password for the server.
///
/// Neither shows in `{:?}`, nor in any error of this crate.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    user: Option<String>,
    password: String,
}

impl Credentials {
    /// Logs in as this user of the server's access control list.
    pub fn new(user: impl Into<String>, password: impl Into<String>) -> Self {
        Self { user: Some(user.into()), password: password.into() }
    }

    /// Logs in by the password of the default user (`requirepass`).
    pub fn password(password: impl Into<String>) -> Self {
        Self { user: None, password: password.into() }
    }

    /// The login in a URL.
    pub(crate) fn of(settings: &RedisConnectionInfo) -> Option<Self> {
        let password = settings.password()?.to_owned();
        // A URL gives a password alone with an empty name.
        let user = settings.username().filter(|user| !user.is_empty()).map(str::to_owned);
        Some(Self { user, password })
    }

    pub(crate) fn login(&self) -> redis::Cmd {
        let mut command = redis::cmd("AUTH");
        if let Some(user) = &self.user {
            command.arg(user);
        }
        command.arg(&self.password).clone()
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_name_nor_password_is_printed() {
        for credentials in
            [Credentials::new("canary-user", "canary-password"), Credentials::password("canary-password")]
        {
            let printed = format!("{credentials:?} {credentials:#?}");
            assert!(!printed.contains("canary"), "{printed}");
        }
    }

    #[test]
    fn a_login_names_the_user_if_there_is_one() {
        let packed = |credentials: Credentials| credentials.login().get_packed_command();
        assert_eq!(packed(Credentials::password("pw")), b"*2\r\n$4\r\nAUTH\r\n$2\r\npw\r\n");
        assert_eq!(packed(Credentials::new("ann", "pw")), b"*3\r\n$4\r\nAUTH\r\n$3\r\nann\r\n$2\r\npw\r\n");
    }
}
