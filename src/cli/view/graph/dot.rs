//! DOT, the language of Graphviz.

use std::fmt::Write as _;

use super::Drawing;

pub(super) fn text(drawing: &Drawing) -> String {
    let mut text = format!("digraph {} {{\n", quoted(&drawing.title));
    text.push_str(
        "  rankdir=LR;\n  node [shape=box, style=rounded, fontname=\"sans-serif\"];\n  edge [fontname=\"sans-serif\", fontsize=9];\n",
    );
    for (index, (name, nodes)) in drawing.groups.iter().enumerate() {
        let _ = writeln!(text, "  subgraph cluster_{index} {{\n    label={};", quoted(name));
        for node in nodes {
            let _ = writeln!(text, "    n{node} [label={}];", quoted(&drawing.nodes[*node].addr));
        }
        text.push_str("  }\n");
    }
    for edge in &drawing.edges {
        let style = if edge.before == "ready" { ", style=dashed" } else { "" };
        let _ = writeln!(text, "  n{} -> n{} [label=\"{} → {}\"{style}];", edge.from, edge.to, edge.what, edge.before);
    }
    text.push_str("}\n");
    text
}

/// A quoted string of DOT: only `"` and a backslash mean something in it.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
