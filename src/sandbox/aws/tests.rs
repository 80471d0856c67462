//! What the real clients see.

#![allow(clippy::unwrap_used)]

mod acm;
mod bed;
mod eks;
mod faults;
mod hostile;
mod renewal;
mod route53;
mod secrets;
mod world;
