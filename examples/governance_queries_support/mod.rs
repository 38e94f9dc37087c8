//! Shared by the two flavours of `governance_queries`: the company with its requests, and the tables.

#![allow(unreachable_pub, reason = "each example uses this module for itself")]

pub mod company;
pub mod tables;
