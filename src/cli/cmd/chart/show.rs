//! `chart show`

use super::source;
use crate::cli::args::chart::ShowPart;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::out;
use crate::helm::Chart;

pub(super) async fn run(context: &Context, part: &ShowPart) -> Exit {
    let (ShowPart::Values(args) | ShowPart::Chart(args) | ShowPart::Readme(args) | ShowPart::Crds(args)) = part;
    let fetched = match source::fetch(context, args).await {
        Ok(fetched) => fetched,
        Err(error) => return source::failed(&error),
    };
    let chart = &fetched.chart;
    let text = match part {
        ShowPart::Values(_) => file(chart, &["values.yaml"]),
        ShowPart::Chart(_) => file(chart, &["Chart.yaml"]),
        ShowPart::Readme(_) => file(chart, &["readme.md", "readme.txt", "readme"]),
        ShowPart::Crds(_) => crds(chart),
    };
    out::bytes(&text);
    Exit::Done
}

/// The first of these files that the chart has, whatever its capitals.
fn file(chart: &Chart, names: &[&str]) -> Vec<u8> {
    let found = names.iter().find_map(|name| chart.raw.iter().find(|file| file.name.eq_ignore_ascii_case(name)));
    let mut text = found.map(|file| file.data.to_vec()).unwrap_or_default();
    if !text.ends_with(b"\n") {
        text.push(b'\n');
    }
    text
}

fn crds(chart: &Chart) -> Vec<u8> {
    let mut out = Vec::new();
    for file in chart.raw.iter().filter(|file| file.name.starts_with("crds/")) {
        if !file.data.starts_with(b"---") {
            out.extend_from_slice(b"---\n");
        }
        out.extend_from_slice(&file.data);
        if !file.data.ends_with(b"\n") {
            out.push(b'\n');
        }
    }
    out
}
