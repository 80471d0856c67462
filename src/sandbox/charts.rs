//! Stand-ins for Istio's charts `base`, `istiod` and `gateway`, where there is no network: small, of our own, with the objects that the rest of
//! a mesh hangs on, and nothing that works. They say so wherever they show.

use std::collections::BTreeMap;

use crate::helm::{Chart, ChartError};

macro_rules! files {
    ($chart:literal: $($path:literal),+) => {
        &[$(($path, include_str!(concat!("charts/", $chart, "/", $path)))),+]
    };
}

const CHARTS: &[(&str, &[(&str, &str)])] = &[
    ("base", files!("base": "Chart.yaml", "values.yaml", "templates/crds.yaml", "templates/reader.yaml", "templates/validator.yaml")),
    (
        "istiod",
        files!(
            "istiod": "Chart.yaml", "values.yaml", "templates/_names.tpl", "templates/account.yaml", "templates/control-plane.yaml",
            "templates/webhooks.yaml"
        ),
    ),
    ("gateway", files!("gateway": "Chart.yaml", "values.yaml", "templates/gateway.yaml")),
];

/// The stand-in for a chart of Istio's, if there is one.
pub fn stand_in(name: &str) -> Option<Result<Chart, ChartError>> {
    let (_, files) = CHARTS.iter().find(|(chart, _)| *chart == name)?;
    let files: BTreeMap<String, Vec<u8>> = files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect();
    Some(Chart::load(files))
}
