//! The program against real servers: `tests/bed/bed run --proxy -- tests/helm/reference run -- cargo test --features bed --test suite bed_suite::`.

mod attributes;
pub(crate) mod bed;
mod conversion;
mod converter;
mod delivered;
mod drift;
mod every_kind;
mod flow;
mod generate;
mod istio;
mod lost_state;
mod mesh;
mod objects;
mod owned;
mod permissions;
mod replace;
mod requests;
mod stop;
mod take_over;
mod terraform;
mod upgrade;
mod worlds;
