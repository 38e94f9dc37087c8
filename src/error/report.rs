//! An error as data, for logs and for the clients of an application.

use serde::{Deserialize, Serialize, Serializer};

use super::{Error, ErrorKind};
use crate::request::{RequestId, Timestamp, UnsettledWrite};

/// An [`Error`] as data: what it serializes as. A client reads it back; it ignores fields that it does not know.
///
/// The message may name keys and addresses of the store, so send it outside only for kinds that are about the call:
/// see the [page about errors](crate::guide::errors).
///
/// ```
/// use mutator_governance::{Error, ErrorReport, RequestId};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let error = Error::not_found(RequestId::new("raise-limit-7")?);
/// let json = serde_json::to_string(&error)?;
/// assert!(json.starts_with(r#"{"code":"request.not_found","kind":"NotFound","message":"request raise-limit-7 does"#));
/// assert!(json.ends_with(r#""request":"raise-limit-7"}"#));
///
/// let read: ErrorReport = serde_json::from_str(&json)?;
/// assert_eq!(read, ErrorReport::from(&error));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct ErrorReport {
    /// [`Error::code`].
    pub code: String,
    /// [`Error::kind`].
    pub kind: ErrorKind,
    /// What failed and what to do next, in words.
    pub message: String,
    /// [`Error::request`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<RequestId>,
    /// [`Error::unsettled_write`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsettled_write: Option<UnsettledWrite>,
    /// [`Error::retry_after`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<Timestamp>,
}

impl From<&Error> for ErrorReport {
    fn from(error: &Error) -> Self {
        Self {
            code: error.code().to_owned(),
            kind: error.kind(),
            message: error.to_string(),
            request: error.request().cloned(),
            unsettled_write: error.unsettled_write().cloned(),
            retry_after: error.retry_after(),
        }
    }
}

/// As [`ErrorReport`].
impl Serialize for Error {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        ErrorReport::from(self).serialize(serializer)
    }
}

/// As [`ErrorReport`].
#[cfg(feature = "schemars")]
impl schemars::JsonSchema for Error {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        ErrorReport::schema_name()
    }

    fn schema_id() -> std::borrow::Cow<'static, str> {
        ErrorReport::schema_id()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        ErrorReport::json_schema(generator)
    }
}
