//! The rules of how a request moves on, one test for each, named after it.

mod deciding;
mod filing;
mod lifecycle;
mod support;
