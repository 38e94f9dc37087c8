//! The program itself, against servers of these tests: what it prints, what it changes, and how it ends.

mod archives;
mod changes;
mod cluster;
mod confirmation;
mod endings;
mod generated;
mod lists;
mod maintenance;
mod proof;
mod removing;
mod scene;
mod secrets;
mod security;
mod sentinel;
mod terminal;
