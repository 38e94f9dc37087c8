//! Ids as callers have them: owned, borrowed, or as text.

use crate::error::{Error, Result};

/// What a method takes for an id: the id, a reference to it, its text, or whatever else converts to it by [`TryInto`].
///
/// ```
/// use mutator_governance::{IntoId, RequestId, Result};
///
/// fn printed(id: impl IntoId<RequestId>) -> Result<String> {
///     Ok(id.into_id()?.to_string())
/// }
///
/// # fn main() -> Result<()> {
/// let id = RequestId::new("request-1")?;
/// assert_eq!(printed("request-1")?, "request-1");
/// assert_eq!(printed(&id)?, "request-1");
/// assert_eq!(printed(id)?, "request-1");
/// assert!(printed("not an id").is_err());
/// # Ok(())
/// # }
/// ```
pub trait IntoId<Id>: Send {
    /// The id.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the text is not a valid id.
    fn into_id(self) -> Result<Id>;
}

impl<Id, T: TryInto<Id, Error: Into<Error>> + Send> IntoId<Id> for T {
    fn into_id(self) -> Result<Id> {
        self.try_into().map_err(Into::into)
    }
}
