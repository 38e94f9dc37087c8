/// What a command does when somebody else changed the request between its reading and its writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OnConflict {
    /// It fails with [`Error::Conflict`](crate::Error::Conflict).
    Fail,
    /// It is checked anew on what is stored now and written then, at most so many times.
    ///
    /// Two approvers of different approvals both succeed. A command that has become invalid fails with its own error.
    Rebase(u32),
}

impl OnConflict {
    /// For what has to be recorded once it has happened, whoever else is writing.
    pub(crate) const PERSISTENT: Self = Self::Rebase(32);

    pub(crate) const fn most_rebases(self) -> u32 {
        match self {
            Self::Fail => 0,
            Self::Rebase(most) => most,
        }
    }
}

impl Default for OnConflict {
    /// Three rebases: enough for people, few enough to end soon.
    fn default() -> Self {
        Self::Rebase(3)
    }
}
