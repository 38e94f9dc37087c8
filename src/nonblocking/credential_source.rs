//! Where a store's login comes from, asked anew for each connection.

use std::error::Error;
use std::future::Future;

use async_trait::async_trait;

use crate::redis::Credentials;

/// Gives the login for a new connection: [`Credentials`] that stay, or a function that fetches them.
///
/// A function returns a future of `Result<Credentials, E>`, for any error `E` that converts into a boxed one.
#[async_trait]
pub trait CredentialSource: Send + Sync + 'static {
    /// The login as it is now. The time it takes counts as time of the connecting.
    ///
    /// # Errors
    /// Whatever keeps it from being known. The call that needed the connection then fails as
    /// [`StoreErrorKind::Unavailable`](crate::StoreErrorKind::Unavailable), with this error as its cause: it must hold no secret.
    async fn credentials(&self) -> Result<Credentials, Box<dyn Error + Send + Sync>>;
}

#[async_trait]
impl CredentialSource for Credentials {
    async fn credentials(&self) -> Result<Credentials, Box<dyn Error + Send + Sync>> {
        Ok(self.clone())
    }
}

#[async_trait]
impl<Fetch, Fetched, E> CredentialSource for Fetch
where
    Fetch: Fn() -> Fetched + Send + Sync + 'static,
    Fetched: Future<Output = Result<Credentials, E>> + Send + 'static,
    E: Into<Box<dyn Error + Send + Sync>> + 'static,
{
    async fn credentials(&self) -> Result<Credentials, Box<dyn Error + Send + Sync>> {
        self().await.map_err(Into::into)
    }
}
