//! Errors in the terms of HTTP.

use http::{HeaderValue, StatusCode};

use super::{Error, ErrorKind};

#[cfg_attr(docsrs, doc(cfg(feature = "http")))]
impl ErrorKind {
    /// The status of an HTTP response to a call that failed like this.
    ///
    /// Only [`Busy`](Self::Busy) and [`Unavailable`](Self::Unavailable) have one that clients and proxies take as an
    /// invitation to repeat the call. [`UnknownOutcome`](Self::UnknownOutcome) is 500 and not 504, which some proxies
    /// repeat by themselves.
    pub const fn status_code(self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
            Self::NotAllowed => StatusCode::FORBIDDEN,
            Self::Conflict => StatusCode::CONFLICT,
            Self::Busy => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::UnknownOutcome | Self::Corrupt | Self::Misconfigured | Self::Internal => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
        }
    }
}

#[cfg_attr(docsrs, doc(cfg(feature = "http")))]
impl Error {
    /// The value of a `Retry-After` header, if the [time](Self::retry_after) is known: that time, rounded up to the
    /// second that an HTTP date can express.
    pub fn retry_after_header(&self) -> Option<HeaderValue> {
        let micros = self.retry_after()?.as_micros();
        let seconds = i64::try_from(micros.div_ceil(1_000_000)).ok()?;
        let date = jiff::Timestamp::from_second(seconds).ok()?.strftime("%a, %d %b %Y %H:%M:%S GMT");
        HeaderValue::try_from(date.to_string()).ok()
    }
}

impl From<ErrorKind> for StatusCode {
    fn from(kind: ErrorKind) -> Self {
        kind.status_code()
    }
}

impl From<&Error> for StatusCode {
    fn from(error: &Error) -> Self {
        error.kind().status_code()
    }
}
