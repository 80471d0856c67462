//! The program against real servers: `tests/bed/bed run --proxy -- tests/helm/reference run -- cargo test --features bed --test suite bed_suite::`.

mod attributes;
pub(crate) mod bed;
mod delivered;
mod flow;
mod generate;
mod lost_state;
mod objects;
mod permissions;
mod requests;
mod stop;
mod take_over;
mod worlds;
