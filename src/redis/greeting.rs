use redis::{Cmd, ErrorKind, RedisConnectionInfo, RedisError};

use super::fault::has_no_room;

/// A command that a new connection begins with.
///
/// redis-rs can log in by itself, and takes whatever the server says then for a wrong password.
pub(crate) struct Greeting {
    pub(crate) command: Cmd,
    is_login: bool,
}

/// Login and choice of the database, as far as these settings ask for them.
pub(crate) fn greetings(settings: &RedisConnectionInfo) -> Vec<Greeting> {
    let mut greetings = Vec::new();
    if let Some(password) = settings.password() {
        let mut command = redis::cmd("AUTH");
        if let Some(username) = settings.username() {
            command.arg(username);
        }
        command.arg(password);
        greetings.push(Greeting { command, is_login: true });
    }
    if settings.db() != 0 {
        greetings.push(Greeting { command: redis::cmd("SELECT").arg(settings.db()).clone(), is_login: false });
    }
    greetings
}

impl Greeting {
    /// What an error that came instead of an answer means: whatever the server says of a login is a login that was refused,
    /// unless the server would have said it of any command.
    pub(crate) fn refused(&self, error: RedisError) -> RedisError {
        let is_about_login = matches!(error.code(), Some("ERR" | "WRONGPASS" | "NOAUTH" | "NOPERM"));
        if self.is_login && is_about_login && !has_no_room(&error) {
            // Not in the server's own words, which may repeat what was sent.
            let code = error.code().unwrap_or_default().to_owned();
            return (ErrorKind::AuthenticationFailed, "the login was refused", code).into();
        }
        error
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_about_the_login_is_a_login_that_was_refused() {
        let settings = RedisConnectionInfo::default().set_password("pw").set_db(2);
        let greetings = greetings(&settings);
        let [login, database] = &greetings[..] else { panic!("{} greetings", greetings.len()) };
        let answer = |line: &str| {
            let reply = redis::parse_redis_value(format!("-{line}\r\n").as_bytes());
            reply.and_then(redis::Value::extract_error).unwrap_err()
        };
        for (line, is_refused) in [
            ("WRONGPASS invalid username-password pair or user is disabled.", true),
            ("ERR AUTH <password> called without any password configured for the default user.", true),
            ("ERR max number of clients reached", false),
            ("LOADING Redis is loading the dataset in memory", false),
        ] {
            assert_eq!(login.refused(answer(line)).kind() == ErrorKind::AuthenticationFailed, is_refused, "{line}");
            assert_ne!(database.refused(answer(line)).kind(), ErrorKind::AuthenticationFailed, "{line}");
        }
    }
}
