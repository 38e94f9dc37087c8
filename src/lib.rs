//! Governed mutation requests.
