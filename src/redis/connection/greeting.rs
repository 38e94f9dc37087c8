//! The commands that a new connection sends before any call.

use std::time::Instant;

use redis::{Cmd, ErrorKind, RedisError, RedisResult, Value};

use crate::redis::connection::credentials::Credentials;
use crate::redis::connection::fault::has_no_room;
use crate::redis::connection::server_clock::ServerClock;

/// A command that a new connection begins with.
///
/// Not redis-rs's own login, which takes any error of the server for a wrong password.
pub(crate) struct Greeting {
    pub(crate) command: Cmd,
    purpose: Purpose,
}

/// What a connection leads to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Peer {
    /// A server with data.
    #[default]
    Server,
    /// A node of a cluster, for reading what it has of its primary.
    Replica,
    /// A Sentinel, which does not answer TIME.
    Sentinel,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Login,
    Database,
    /// A replica of a cluster sends reads to its primary otherwise.
    Reading,
    /// Something that a Sentinel answers.
    SignOfLife,
    /// Every connection knows its server's time, because another server may answer than before.
    Time,
}

/// The command for the server's time.
pub(crate) fn ask_time() -> Cmd {
    redis::cmd("TIME")
}

/// The command before one for a slot that is being moved to the node.
pub(crate) fn asking() -> Cmd {
    redis::cmd("ASKING")
}

/// Login and choice of the database, if set, and the command for the server's time. So the server has answered on every
/// connection before a call uses it: a server at its limit of clients says so, or closes, while nothing is under way.
pub(crate) fn greetings(credentials: Option<&Credentials>, database: i64, peer: Peer) -> Vec<Greeting> {
    let login = credentials.map(|credentials| Greeting { command: credentials.login(), purpose: Purpose::Login });
    let choice = (database != 0)
        .then(|| Greeting { command: redis::cmd("SELECT").arg(database).clone(), purpose: Purpose::Database });
    let reading =
        (peer == Peer::Replica).then(|| Greeting { command: redis::cmd("READONLY"), purpose: Purpose::Reading });
    let last = match peer {
        Peer::Sentinel => Greeting { command: redis::cmd("PING"), purpose: Purpose::SignOfLife },
        Peer::Server | Peer::Replica => Greeting { command: ask_time(), purpose: Purpose::Time },
    };
    login.into_iter().chain(choice).chain(reading).chain([last]).collect()
}

impl Greeting {
    /// Takes the answer to this greeting, which was sent at that time.
    pub(crate) fn answered(&self, sent: Instant, answer: RedisResult<Value>, clock: &ServerClock) -> RedisResult<()> {
        let answer = answer.map_err(|error| self.rejected(error))?;
        if self.purpose == Purpose::Time {
            let learned = clock.learn(sent, Instant::now(), &answer);
            learned
                .map_err(|error| RedisError::from((ErrorKind::UnexpectedReturnType, "no Redis", error.to_string())))?;
        }
        Ok(())
    }

    /// The meaning of an error instead of an answer: every error to a login is a rejected login, unless the server
    /// would return it for any command.
    fn rejected(&self, error: RedisError) -> RedisError {
        let is_about_login = matches!(error.code(), Some("ERR" | "WRONGPASS" | "NOAUTH" | "NOPERM"));
        if self.purpose == Purpose::Login && is_about_login && !has_no_room(&error) {
            // Without the server's own words, which may repeat what was sent.
            let code = error.code().unwrap_or_default().to_owned();
            return (ErrorKind::AuthenticationFailed, "the login was rejected", code).into();
        }
        error
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_about_the_login_is_a_login_that_was_rejected() {
        let greetings = greetings(Some(&Credentials::password("pw")), 2, Peer::Server);
        let [login, database, time] = &greetings[..] else { panic!("{} greetings", greetings.len()) };
        let answer = |line: &str| {
            let reply = redis::parse_redis_value(format!("-{line}\r\n").as_bytes());
            reply.and_then(redis::Value::extract_error).unwrap_err()
        };
        for (line, is_rejected) in [
            ("WRONGPASS invalid username-password pair or user is disabled.", true),
            ("ERR AUTH <password> called without any password configured for the default user.", true),
            ("ERR max number of clients reached", false),
            ("LOADING Redis is loading the dataset in memory", false),
        ] {
            assert_eq!(login.rejected(answer(line)).kind() == ErrorKind::AuthenticationFailed, is_rejected, "{line}");
            for other in [database, time] {
                assert_ne!(other.rejected(answer(line)).kind(), ErrorKind::AuthenticationFailed, "{line}");
            }
        }
    }
}
