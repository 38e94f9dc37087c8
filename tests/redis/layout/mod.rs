//! Namespaces that another release laid out, and processes of one that still run.
#![cfg(feature = "redis")]

mod fixture;
mod older_process;
mod recorded;
mod upgrade;

pub(crate) use upgrade::layout_error;
