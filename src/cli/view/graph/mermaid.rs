//! Mermaid's flowchart.

use std::fmt::Write as _;

use super::Drawing;

pub(super) fn text(drawing: &Drawing) -> String {
    let mut text = String::from("flowchart LR\n");
    for (index, (name, nodes)) in drawing.groups.iter().enumerate() {
        let _ = writeln!(text, "  subgraph g{index}[\"{}\"]", escaped(name));
        for node in nodes {
            let _ = writeln!(text, "    n{node}[\"{}\"]", escaped(&drawing.nodes[*node].addr));
        }
        text.push_str("  end\n");
    }
    for edge in &drawing.edges {
        let arrow = if edge.before == "ready" { "-.->" } else { "-->" };
        let _ = writeln!(text, "  n{} {arrow}|\"{} → {}\"| n{}", edge.from, edge.what, edge.before, edge.to);
    }
    text
}

/// A quoted label: what has a meaning in Mermaid or HTML stands as a character code (Mermaid documentation, "Entity codes to escape characters").
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_alphanumeric() || " ./-_*:".contains(c) {
            out.push(c);
        } else {
            let _ = write!(out, "#{};", u32::from(c));
        }
    }
    out
}
