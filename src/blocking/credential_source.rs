//! Where a store's login comes from, asked anew for each connection.

use std::error::Error;

use crate::redis::Credentials;

/// Gives the login for a new connection: [`Credentials`] that stay, or a function that fetches them.
///
/// A function returns `Result<Credentials, E>`, for any error `E` that converts into a boxed one.
pub trait CredentialSource: Send + Sync + 'static {
    /// The login as it is now. The time it takes counts as time of the connecting, but nothing cuts it short.
    ///
    /// # Errors
    /// Whatever keeps it from being known. The call that needed the connection then fails as
    /// [`StoreErrorKind::Unavailable`](crate::StoreErrorKind::Unavailable), with this error as its cause: it must hold no secret.
    fn credentials(&self) -> Result<Credentials, Box<dyn Error + Send + Sync>>;
}

impl CredentialSource for Credentials {
    fn credentials(&self) -> Result<Credentials, Box<dyn Error + Send + Sync>> {
        Ok(self.clone())
    }
}

impl<Fetch, E> CredentialSource for Fetch
where
    Fetch: Fn() -> Result<Credentials, E> + Send + Sync + 'static,
    E: Into<Box<dyn Error + Send + Sync>>,
{
    fn credentials(&self) -> Result<Credentials, Box<dyn Error + Send + Sync>> {
        self().map_err(Into::into)
    }
}
