//! A program that ends with an error, as its first argument says.

use mutator_governance::{ActorId, Error, InvalidValue, Outcome, RequestId, StoreError, StoreErrorKind};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    match std::env::args().nth(1).as_deref() {
        Some("error") => own().map_err(Into::into),
        Some("value") => Ok(value()?),
        Some("cause") => Ok(cause()?),
        _ => Ok(()),
    }
}

fn own() -> Result<(), Error> {
    Err(Error::not_found(RequestId::new("raise-limit-7")?))
}

fn value() -> Result<(), InvalidValue> {
    ActorId::new(" bob").map(drop)
}

fn cause() -> Result<(), Error> {
    let failure = StoreError::new(StoreErrorKind::Unavailable, Outcome::NotApplied, "the ledger cannot be written");
    Err(failure.caused_by("the disk is full").into())
}
