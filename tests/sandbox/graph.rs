//! `graph` in its forms.

use std::fmt::Write as _;

use super::lab::{Lab, STACK};

#[test]
fn every_form_has_every_node_and_every_edge() {
    let lab = Lab::new(STACK);
    let json = lab.run("graph stack.yaml --format json").ends_with(0).json();
    assert_eq!(json, lab.run("graph stack.yaml --json").ends_with(0).json());
    let (nodes, edges) = (json["nodes"].as_array().unwrap(), json["edges"].as_array().unwrap());
    assert!(nodes.len() == 11 && edges.len() > 10, "{json}");
    let text = lab.run("graph stack.yaml").ends_with(0).stdout;
    assert_eq!(text.lines().filter(|line| line.starts_with("    is ")).count(), edges.len());
    let dot = lab.run("graph stack.yaml --format dot").ends_with(0).stdout;
    assert_eq!(dot.matches(" -> n").count(), edges.len());
    let mermaid = lab.run("graph stack.yaml --format mermaid").ends_with(0).stdout;
    assert_eq!(mermaid.matches("-->").count() + mermaid.matches("-.->").count(), edges.len());
    let html = lab.run("graph stack.yaml --format html").ends_with(0).stdout;
    assert_eq!(html.matches("<path class=\"edge").count(), edges.len());
    for node in nodes {
        let node = node.as_str().unwrap();
        for (form, text) in [("text", &text), ("dot", &dot), ("mermaid", &mermaid), ("html", &html)] {
            assert!(text.contains(node), "{form} lacks {node}");
        }
    }
    for edge in edges {
        let line = format!("    is {} after {} is {}", edge["before"], edge["to"], edge["awaits"]).replace('"', "");
        assert!(text.contains(&line), "{line}");
    }
    let one = lab.run("graph stack.yaml --format dot --target secret/prod/edge-cert").ends_with(0).stdout;
    assert_eq!(one.matches(" -> n").count(), 2, "{one}");
}

#[test]
fn the_page_fetches_nothing_and_places_overlap_nowhere() {
    let mut stack = String::from(
        "version: 1\nstack: many\naws: { region: eu-west-1, account: \"000000000000\" }\ncluster: { eks: demo }\nnamespaces: { prod: {} }\ncertificates:\n",
    );
    for number in 0..50 {
        let _ = writeln!(
            stack,
            "  c{number}: {{ domain: c{number}.example.com, export: true, secrets_manager: s{number}, tls_secrets: [{{ namespace: prod, name: c{number} }}] }}"
        );
    }
    let lab = Lab::new(&stack);
    let html = lab.run("graph stack.yaml --format html").ends_with(0).stdout;
    for outside in ["http:", "https:", "src=", "href=", "@import", "url(h"] {
        assert!(!html.contains(outside), "{outside}");
    }
    let mut boxes: Vec<[usize; 4]> = Vec::new();
    for rect in html.split("<rect ").skip(1) {
        let number = |key: &str| rect.split(&format!("{key}=\"")).nth(1).unwrap().split('"').next().unwrap().parse::<usize>().unwrap();
        boxes.push([number("x"), number("y"), number("width"), number("height")]);
    }
    assert_eq!(boxes.len(), 201);
    for (index, [x, y, width, height]) in boxes.iter().enumerate() {
        for [a, b, w, h] in &boxes[index + 1..] {
            assert!(x + width <= *a || a + w <= *x || y + height <= *b || b + h <= *y, "two boxes overlap");
        }
    }
}
