//! A program whose `main` returns this crate's error itself.

use mutator_governance::{Error, RequestId};

fn main() -> Result<(), Error> {
    Err(Error::not_found(RequestId::new("raise-limit-7")?))
}
