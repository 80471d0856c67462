//! ECR: the login that a registry takes. The sandbox has no registries, so this holds on the emulator alone.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use meshform::provider::aws::ecr::{Registry, login_by};

use super::world::config;
use crate::bed_suite::bed::variable;
use crate::sandbox::lab::block_on;

#[test]
fn an_identity_gets_a_login_for_the_registries_of_a_region() {
    crate::sandbox::lab::in_real_time();
    let http = aws_smithy_http_client::Builder::new().build_http();
    let config = config(http, "AKIATEST000000000000").endpoint_url(variable("MESHFORM_BED_MOTO")).build();
    let registry = Registry::of_host("111122223333.dkr.ecr.eu-west-1.amazonaws.com").unwrap();
    let login = block_on(login_by(&config, &registry)).unwrap_or_else(|error| panic!("{error}"));
    let login = STANDARD.decode(login.expose_secret()).unwrap();
    assert!(login.starts_with(b"AWS:") && login.len() > 4);
}
