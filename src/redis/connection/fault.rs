//! What a failure of the client or the server means for a call.

use std::fmt::Display;
use std::time::Duration;

use redis::{ErrorKind, RedisError, ServerErrorKind};

use crate::error::{Outcome, StoreError, StoreErrorKind};
use crate::redis::connection::reply_limit::is_too_long;
use crate::service::deadline::Deadline;

/// Why a command got no result, and what follows from that.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) kind: StoreErrorKind,
    /// Whether the command may have been executed.
    pub(crate) effect: Effect,
    /// What to do next.
    pub(crate) remedy: Remedy,
    /// Whether the connection must not be used again.
    pub(crate) breaks_connection: bool,
    /// Whether the other connections to the same server are probably broken too.
    #[cfg_attr(not(feature = "blocking"), allow(dead_code, reason = "only a pool has others"))]
    pub(crate) breaks_others: bool,
    problem: String,
    /// What to do, after the problem.
    advice: &'static str,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// Whether a command that failed may have been executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    None,
    Unknown,
}

/// What to do after a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Remedy {
    /// The server does not know the script: send its source.
    SendSource,
    /// The cause may pass within the call.
    Repeat,
    /// The cause will not pass within the call.
    GiveUp,
}

impl Fault {
    /// The same fault, of another call to a cluster that it ends as well; without its cause, which only one can have.
    pub(crate) fn again(&self) -> Self {
        let (kind, advice) = self.meaning_in_cluster();
        Self { kind, advice, problem: self.problem.clone(), source: None, ..*self }
    }

    /// No connection could be made.
    pub(crate) fn connecting(address: &str, error: RedisError) -> Self {
        let (kind, remedy, advice) = if is_rejected_login(&error) {
            let advice = "check user and password; those of a URL are percent-decoded, so that % is written %25";
            (StoreErrorKind::Rejected, Remedy::GiveUp, advice)
        } else if has_no_room(&error) {
            (StoreErrorKind::Unavailable, Remedy::Repeat, "check its maxclients and its connected clients")
        } else if error.code() == Some("NOPERM") {
            (StoreErrorKind::Rejected, Remedy::GiveUp, "give the user this permission")
        } else if error.code() == Some("BUSY") {
            (StoreErrorKind::Unavailable, Remedy::Repeat, "check which script it runs")
        } else if is_unknown_command(&error) {
            let advice =
                "this looks like a Sentinel, which stores no data: open the store with RedisStore::sentinel_builder";
            (StoreErrorKind::Incompatible, Remedy::GiveUp, advice)
        } else if error.code().is_some() {
            let (kind, _, remedy, _) = classify(&error);
            (kind, remedy, "see the server's message")
        } else if error.kind() == ErrorKind::Parse {
            (StoreErrorKind::Connection, Remedy::Repeat, "check host and port")
        } else if error.is_connection_dropped() && !error.is_connection_refusal() {
            let advice = "the server closed the connection at once: check its maxclients, and that it runs";
            (StoreErrorKind::Unavailable, Remedy::Repeat, advice)
        } else {
            (StoreErrorKind::Unreachable, Remedy::Repeat, "check the address and that the server runs")
        };
        Self {
            kind,
            effect: Effect::None,
            remedy,
            breaks_connection: true,
            breaks_others: false,
            problem: match error.kind() {
                ErrorKind::Parse => not_redis(address),
                _ => format!("cannot connect to Redis at {address}: {error}; {advice}"),
            },
            advice: "",
            source: Some(Box::new(error)),
        }
    }

    /// The source of credentials returned an error, so no connection could be made. Its text may hold a secret, so it
    /// appears only as the cause.
    pub(crate) fn credentials(address: &str, error: Box<dyn std::error::Error + Send + Sync>) -> Self {
        Self {
            kind: StoreErrorKind::Unavailable,
            effect: Effect::None,
            remedy: Remedy::GiveUp,
            breaks_connection: false,
            breaks_others: false,
            problem: format!(
                "cannot log in to Redis at {address}: the source of credentials failed; its own error is the cause of this one"
            ),
            advice: "",
            source: Some(error),
        }
    }

    /// The connection turned out to be broken before the whole command was sent, so no server has executed it.
    pub(crate) fn not_sent(address: &str, error: RedisError) -> Self {
        let kind = match error.kind() {
            ErrorKind::Parse => StoreErrorKind::Connection,
            _ if error.is_timeout() => StoreErrorKind::DeadlineExceeded,
            _ => StoreErrorKind::Unavailable,
        };
        Self {
            kind,
            effect: Effect::None,
            remedy: Remedy::Repeat,
            breaks_connection: true,
            breaks_others: !has_no_room(&error) && !error.is_timeout(),
            problem: format!("the connection to Redis at {address} ended before the command was sent: {error}"),
            advice: "",
            source: Some(Box::new(error)),
        }
    }

    /// The caller does not run in a runtime that this build can connect in.
    #[cfg(any(feature = "tokio", feature = "smol"))]
    pub(crate) fn no_runtime(address: &str) -> Self {
        Self {
            kind: StoreErrorKind::Configuration,
            effect: Effect::None,
            remedy: Remedy::GiveUp,
            breaks_connection: false,
            breaks_others: false,
            problem: format!(
                "cannot connect to Redis at {address} outside a tokio runtime: await the call in one, or switch on the feature smol"
            ),
            advice: "",
            source: None,
        }
    }

    /// No connection was free, or could be made, in time.
    pub(crate) fn no_connection(address: &str, deadline: Deadline, cause: &str) -> Self {
        Self {
            kind: StoreErrorKind::Unreachable,
            effect: Effect::None,
            remedy: Remedy::GiveUp,
            breaks_connection: false,
            breaks_others: false,
            problem: format!("no connection to Redis at {address} within {:?}: {cause}", deadline.total()),
            advice: "",
            source: None,
        }
    }

    /// The Sentinels do not confirm that the server is the primary, so a write was not sent, or does not count.
    pub(crate) fn not_confirmed(problem: String) -> Self {
        Self {
            kind: StoreErrorKind::Unavailable,
            effect: Effect::None,
            remedy: Remedy::Repeat,
            breaks_connection: false,
            breaks_others: false,
            problem,
            advice: "",
            source: None,
        }
    }

    /// A node that had not answered before did not answer a ping either, so the command was not sent.
    pub(crate) fn no_sign_of_life(address: impl Display, waited: Duration) -> Self {
        Self {
            kind: StoreErrorKind::Unavailable,
            effect: Effect::None,
            remedy: Remedy::Repeat,
            breaks_connection: false,
            breaks_others: false,
            problem: format!("Redis at {address} gave no sign of life within {waited:?}"),
            advice: NOTHING_TOOK_OVER,
            source: None,
        }
    }

    /// The deadline passed before the command was sent, or while waiting for its reply.
    pub(crate) fn deadline(address: &str, deadline: Deadline, effect: Effect) -> Self {
        let when = match effect {
            Effect::None => "before the command could be sent",
            Effect::Unknown => "while the reply was awaited",
        };
        Self {
            kind: StoreErrorKind::DeadlineExceeded,
            effect,
            remedy: Remedy::GiveUp,
            breaks_connection: effect == Effect::Unknown,
            breaks_others: false,
            problem: format!(
                "Redis at {address} did not answer within {:?}: the deadline passed {when}",
                deadline.total()
            ),
            advice: "",
            source: None,
        }
    }

    /// The command was sent and failed.
    pub(crate) fn command(address: &str, error: RedisError) -> Self {
        let (kind, effect, remedy, breaks_connection) = classify(&error);
        // A timeout says nothing about other connections, because the server may only be slow; nor does a full server.
        let breaks_others = breaks_connection
            && kind != StoreErrorKind::DeadlineExceeded
            && !has_no_room(&error)
            && !is_too_long(&error);
        let problem = match error.kind() {
            ErrorKind::Parse => not_redis(address),
            _ => format!("Redis at {address} failed: {error}"),
        };
        let advice = if is_of_cluster(&error) { OPEN_CLUSTER } else { "" };
        let source = Some(Box::new(error) as _);
        Self { kind, effect, remedy, breaks_connection, breaks_others, problem, advice, source }
    }

    /// The same fault of a ping before the command, which was not sent.
    pub(crate) fn before_command(self) -> Self {
        self.with_effect(Effect::None)
    }

    /// The same fault after the command was executed: whether that counts is not known.
    pub(crate) fn after_command(self) -> Self {
        self.with_effect(Effect::Unknown)
    }

    /// The same fault of a command that may have been executed, or not.
    pub(crate) fn with_effect(self, effect: Effect) -> Self {
        Self { effect, ..self }
    }

    /// What redis-rs reported, if it did.
    pub(crate) fn cause(&self) -> Option<&RedisError> {
        self.source.as_ref()?.downcast_ref()
    }

    /// Whether there was time, and the server let it pass: without a connection, or without a reply.
    pub(crate) fn is_silence(&self) -> bool {
        let is_unanswered = self.effect == Effect::Unknown && self.kind == StoreErrorKind::DeadlineExceeded;
        is_unanswered || self.is_without_connection()
    }

    /// Whether it says only that the time was over before the command was sent.
    pub(crate) fn is_out_of_time(&self) -> bool {
        let is_late = self.effect == Effect::None && self.kind == StoreErrorKind::DeadlineExceeded;
        is_late || self.is_without_connection()
    }

    /// Whether no connection was had in time, for no reason that was reported.
    fn is_without_connection(&self) -> bool {
        self.kind == StoreErrorKind::Unreachable && self.source.is_none()
    }

    /// The same fault as the last one of a call to a cluster, which has gone where its nodes sent it.
    pub(crate) fn in_cluster(self) -> Self {
        let (kind, advice) = self.meaning_in_cluster();
        Self { kind, advice, ..self }
    }

    /// The cluster is there, and a part of it is not, or not yet.
    fn meaning_in_cluster(&self) -> (StoreErrorKind, &'static str) {
        match self.cause() {
            Some(error) if is_of_cluster(error) => (StoreErrorKind::Unavailable, CHECK_CLUSTER),
            Some(_) if self.kind == StoreErrorKind::Unreachable => (StoreErrorKind::Unavailable, NOTHING_TOOK_OVER),
            _ => (self.kind, self.advice),
        }
    }

    /// The error for the caller, given whether an earlier attempt may have been executed.
    pub(crate) fn into_error(self, writes: bool, earlier: Effect) -> StoreError {
        let unknown = writes && (self.effect == Effect::Unknown || earlier == Effect::Unknown);
        let outcome = if unknown { Outcome::Unknown } else { Outcome::NotApplied };
        let problem = match outcome {
            Outcome::Unknown => format!("{}{}; whether the write took effect is not known", self.problem, self.advice),
            _ => self.problem + self.advice,
        };
        StoreError { source: self.source, ..StoreError::new(self.kind, outcome, problem) }
    }
}

const OPEN_CLUSTER: &str = "; it is a node of a cluster, which RedisStore::cluster_builder opens";
const CHECK_CLUSTER: &str = "; the cluster did not settle in the time of the call: repeat it, and if that \
                             does not help, look at redis-cli --cluster check";
const NOTHING_TOOK_OVER: &str = "; no other server took over from it in the time of the call";

/// Whether only a node of a cluster replies so.
fn is_of_cluster(error: &RedisError) -> bool {
    use ServerErrorKind::{Ask, ClusterDown, Moved, TryAgain};
    matches!(error.kind(), ErrorKind::Server(Moved | Ask | ClusterDown | TryAgain))
}

/// The parser's message about bytes of a foreign protocol does not help; it stays in the source.
fn not_redis(address: &str) -> String {
    format!("the server at {address} does not speak the Redis protocol, or a reply was damaged; check host and port")
}

fn is_rejected_login(error: &RedisError) -> bool {
    error.kind() == ErrorKind::AuthenticationFailed || matches!(error.code(), Some("NOAUTH" | "WRONGPASS"))
}

fn is_unknown_command(error: &RedisError) -> bool {
    error.code() == Some("ERR") && error.detail().is_some_and(|detail| detail.starts_with("unknown command"))
}

/// Whether the server closed a new connection because it is at its limit of clients. It says so before it reads any
/// command.
pub(in crate::redis) fn has_no_room(error: &RedisError) -> bool {
    error.code() == Some("ERR") && error.detail().is_some_and(|detail| detail.starts_with("max number of clients"))
}

/// The one table of what a failed command means. Not redis-rs's own `retry_method`, which calls timeouts retryable
/// without saying that the command may have been executed.
fn classify(error: &RedisError) -> (StoreErrorKind, Effect, Remedy, bool) {
    use Effect::{None, Unknown};
    use Remedy::{GiveUp, Repeat, SendSource};
    use StoreErrorKind::{Connection, DeadlineExceeded, Incompatible, Rejected, Unavailable, Unreachable};

    match error.code() {
        Some("ERR") if has_no_room(error) => return (Unavailable, None, Repeat, true),
        Some("BUSY") => return (Unavailable, None, Repeat, false),
        Some("OOM" | "NOREPLICAS" | "MISCONF") => return (Unavailable, None, GiveUp, false),
        // A new connection logs in again.
        Some("NOAUTH" | "WRONGPASS") => return (Rejected, None, GiveUp, true),
        Some("WRONGTYPE") => return (Rejected, None, GiveUp, false),
        _ => {}
    }
    if is_too_long(error) {
        return (Connection, Unknown, GiveUp, true);
    }
    match error.kind() {
        ErrorKind::Server(kind) => match kind {
            ServerErrorKind::NoScript => (Rejected, None, SendSource, false),
            ServerErrorKind::BusyLoading
            | ServerErrorKind::TryAgain
            | ServerErrorKind::ClusterDown
            | ServerErrorKind::MasterDown => (Unavailable, None, Repeat, false),
            ServerErrorKind::ReadOnly => (Unavailable, None, Repeat, true),
            ServerErrorKind::Moved | ServerErrorKind::Ask | ServerErrorKind::CrossSlot => {
                (Incompatible, None, GiveUp, false)
            }
            ServerErrorKind::NoPerm => (Rejected, None, GiveUp, false),
            // An error raised within a script may come after its first write.
            _ => (Rejected, Unknown, GiveUp, false),
        },
        ErrorKind::AuthenticationFailed => (Rejected, None, GiveUp, true),
        ErrorKind::InvalidClientConfig | ErrorKind::Client => (Rejected, None, GiveUp, false),
        ErrorKind::Io if error.is_connection_refusal() => (Unreachable, None, Repeat, true),
        ErrorKind::Io if error.is_timeout() => (DeadlineExceeded, Unknown, Repeat, true),
        ErrorKind::Io | ErrorKind::Parse => (Connection, Unknown, Repeat, true),
        _ => (Rejected, Unknown, GiveUp, false),
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    fn server_error(line: &str) -> RedisError {
        redis::parse_redis_value(format!("-{line}\r\n").as_bytes())
            .and_then(redis::Value::extract_error)
            .expect_err("an error line is an error")
    }

    #[test]
    fn each_answer_of_the_server_means_what_the_table_says() {
        use Effect::{None, Unknown};
        use Remedy::{GiveUp, Repeat, SendSource};
        use StoreErrorKind::{Incompatible, Rejected, Unavailable};
        for (line, expected) in [
            ("NOSCRIPT No matching script", (Rejected, None, SendSource, false)),
            ("LOADING Redis is loading the dataset in memory", (Unavailable, None, Repeat, false)),
            ("BUSY Redis is busy running a script", (Unavailable, None, Repeat, false)),
            ("TRYAGAIN Multiple keys request during rehashing of slot", (Unavailable, None, Repeat, false)),
            ("CLUSTERDOWN The cluster is down", (Unavailable, None, Repeat, false)),
            ("MASTERDOWN Link with MASTER is down", (Unavailable, None, Repeat, false)),
            ("READONLY You can't write against a read only replica.", (Unavailable, None, Repeat, true)),
            ("OOM command not allowed when used memory > 'maxmemory'.", (Unavailable, None, GiveUp, false)),
            ("NOREPLICAS Not enough good replicas to write.", (Unavailable, None, GiveUp, false)),
            ("MISCONF Redis is configured to save RDB snapshots", (Unavailable, None, GiveUp, false)),
            ("NOAUTH Authentication required.", (Rejected, None, GiveUp, true)),
            ("NOPERM this user has no permissions", (Rejected, None, GiveUp, false)),
            ("WRONGTYPE Operation against a key", (Rejected, None, GiveUp, false)),
            ("MOVED 3999 127.0.0.1:6381", (Incompatible, None, GiveUp, false)),
            ("ERR user_script:1: something", (Rejected, Unknown, GiveUp, false)),
            ("ERR max number of clients reached", (Unavailable, None, Repeat, true)),
        ] {
            assert_eq!(classify(&server_error(line)), expected, "{line}");
        }
    }

    #[test]
    fn a_server_without_room_for_one_more_connection_has_not_broken_the_others() {
        let full = || server_error("ERR max number of clients reached");
        assert!(!Fault::command("here", full()).breaks_others);
        assert!(Fault::command("here", server_error("READONLY no")).breaks_others);
        let connecting = Fault::connecting("here", full());
        assert_eq!((connecting.kind, connecting.remedy), (StoreErrorKind::Unavailable, Remedy::Repeat));
    }

    #[test]
    fn each_failure_of_the_connection_means_what_the_table_says() {
        use Effect::{None, Unknown};
        use StoreErrorKind::{Connection, DeadlineExceeded, Unreachable};
        for (kind, expected) in [
            (io::ErrorKind::ConnectionRefused, (Unreachable, None, Remedy::Repeat, true)),
            (io::ErrorKind::TimedOut, (DeadlineExceeded, Unknown, Remedy::Repeat, true)),
            (io::ErrorKind::WouldBlock, (DeadlineExceeded, Unknown, Remedy::Repeat, true)),
            (io::ErrorKind::ConnectionReset, (Connection, Unknown, Remedy::Repeat, true)),
            (io::ErrorKind::BrokenPipe, (Connection, Unknown, Remedy::Repeat, true)),
            (io::ErrorKind::UnexpectedEof, (Connection, Unknown, Remedy::Repeat, true)),
        ] {
            assert_eq!(classify(&io::Error::from(kind).into()), expected, "{kind:?}");
        }
    }

    #[test]
    fn a_connection_that_ends_at_once_says_that_nothing_was_sent() {
        let ended = |kind: io::ErrorKind| RedisError::from(io::Error::from(kind));
        for kind in [io::ErrorKind::UnexpectedEof, io::ErrorKind::ConnectionReset, io::ErrorKind::BrokenPipe] {
            for fault in [Fault::connecting("here", ended(kind)), Fault::not_sent("here", ended(kind))] {
                assert_eq!((fault.kind, fault.remedy), (StoreErrorKind::Unavailable, Remedy::Repeat), "{kind:?}");
                assert_eq!(fault.into_error(true, Effect::None).outcome, Outcome::NotApplied);
            }
        }
        let late = Fault::not_sent("here", ended(io::ErrorKind::TimedOut));
        assert_eq!((late.kind, late.effect), (StoreErrorKind::DeadlineExceeded, Effect::None));
        assert_eq!(
            Fault::connecting("here", ended(io::ErrorKind::ConnectionRefused)).kind,
            StoreErrorKind::Unreachable
        );
        let no_database = Fault::connecting("here", server_error("ERR DB index is out of range"));
        assert_eq!((no_database.kind, no_database.remedy), (StoreErrorKind::Rejected, Remedy::GiveUp));
    }

    #[test]
    fn only_a_write_that_may_have_been_executed_is_unknown() {
        let timeout = || Fault::command("here", io::Error::from(io::ErrorKind::TimedOut).into());
        let denied = || Fault::command("here", server_error("NOPERM no"));
        assert_eq!(timeout().into_error(true, Effect::None).outcome, Outcome::Unknown);
        assert_eq!(timeout().into_error(false, Effect::None).outcome, Outcome::NotApplied);
        assert_eq!(denied().into_error(true, Effect::None).outcome, Outcome::NotApplied);
        assert_eq!(denied().into_error(true, Effect::Unknown).outcome, Outcome::Unknown);
    }
}
