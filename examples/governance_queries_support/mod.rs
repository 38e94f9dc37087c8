//! What the two flavours of `governance_queries` share: the company whose requests they ask about, and the tables.

#![allow(unreachable_pub, reason = "each example uses this module for itself")]

pub mod company;
pub mod tables;
