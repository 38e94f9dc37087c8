//! What is asked on a new connection before any call.

use redis::{Cmd, ErrorKind, RedisResult, Value};

use super::credentials::Credentials;
use super::fault::has_no_room;

/// A command that a new connection begins with.
///
/// redis-rs can log in by itself, and takes whatever the server says then for a wrong password.
pub(crate) struct Greeting {
    pub(crate) command: Cmd,
    purpose: Purpose,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    Login,
    Database,
    /// To hear from the server at all: one that has no room closes the connection, and what was sent to it by then may have been
    /// executed for all its sender knows.
    Presence,
}

/// Login and choice of the database, as far as they are asked for, and a question that any server answers.
pub(crate) fn greetings(credentials: Option<&Credentials>, database: i64) -> Vec<Greeting> {
    let login = credentials.map(|credentials| Greeting { command: credentials.login(), purpose: Purpose::Login });
    let choice = (database != 0)
        .then(|| Greeting { command: redis::cmd("SELECT").arg(database).clone(), purpose: Purpose::Database });
    let presence = Greeting { command: redis::cmd("PING"), purpose: Purpose::Presence };
    login.into_iter().chain(choice).chain([presence]).collect()
}

impl Greeting {
    /// What an answer means. Whatever the server says of a login is a login that was refused, unless the server would have said
    /// it of any command. To the last question any answer will do: what a user may not, a call is told.
    pub(crate) fn answered(&self, answer: RedisResult<Value>) -> RedisResult<()> {
        match answer.and_then(Value::extract_error) {
            Ok(_) => Ok(()),
            Err(error) if has_no_room(&error) => Err(error),
            Err(error) => match (self.purpose, error.code()) {
                (Purpose::Login, Some(code @ ("ERR" | "WRONGPASS" | "NOAUTH" | "NOPERM"))) => {
                    // Not in the server's own words, which may repeat what was sent.
                    Err((ErrorKind::AuthenticationFailed, "the login was refused", code.to_owned()).into())
                }
                (
                    Purpose::Presence,
                    Some("NOAUTH" | "NOPERM" | "LOADING" | "BUSY" | "MASTERDOWN" | "MISCONF" | "ERR"),
                ) => Ok(()),
                _ => Err(error),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(line: &str) -> RedisResult<Value> {
        redis::parse_redis_value(format!("{line}\r\n").as_bytes())
    }

    #[test]
    fn only_what_is_about_the_login_is_a_login_that_was_refused() {
        let greetings = greetings(Some(&Credentials::password("pw")), 2);
        let [login, database, _] = &greetings[..] else { panic!("{} greetings", greetings.len()) };
        for (line, is_refused) in [
            ("-WRONGPASS invalid username-password pair or user is disabled.", true),
            ("-ERR AUTH <password> called without any password configured for the default user.", true),
            ("-ERR max number of clients reached", false),
            ("-LOADING Redis is loading the dataset in memory", false),
        ] {
            let kind = |greeting: &Greeting| greeting.answered(answer(line)).unwrap_err().kind();
            assert_eq!(kind(login) == ErrorKind::AuthenticationFailed, is_refused, "{line}");
            assert_ne!(kind(database), ErrorKind::AuthenticationFailed, "{line}");
        }
    }

    #[test]
    fn a_server_that_answers_is_there_whatever_it_says() {
        let greetings = greetings(None, 0);
        let [presence] = &greetings[..] else { panic!("{} greetings", greetings.len()) };
        for line in ["+PONG", "-NOAUTH Authentication required.", "-NOPERM no", "-LOADING Redis is loading"] {
            assert!(presence.answered(answer(line)).is_ok(), "{line}");
        }
        for line in ["-ERR max number of clients reached", "-DENIED Redis is running in protected mode"] {
            assert!(presence.answered(answer(line)).is_err(), "{line}");
        }
    }
}
