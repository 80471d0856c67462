//! Where the nodes of the page stand: columns by depth, and in a column beside what they wait for.

use super::Drawing;

/// Height of a node and of the room below it; width of a character and of the room between columns; all in pixels.
pub(super) const HEIGHT: usize = 34;
const GAP: usize = 12;
const CHARACTER: usize = 8;
const BETWEEN: usize = 110;
const MARGIN: usize = 24;
/// How often each column is put in the order of its neighbours.
const ROUNDS: usize = 8;

/// The place of a node: its left upper corner and its width.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) x: usize,
    pub(super) y: usize,
    pub(super) width: usize,
}

/// The places of all nodes, and the size of the whole.
pub(super) fn places(drawing: &Drawing) -> (Vec<Place>, usize, usize) {
    let mut depths: Vec<usize> = drawing.nodes.iter().map(|node| node.depth).collect();
    depths.sort_unstable();
    depths.dedup();
    let mut columns: Vec<Vec<usize>> =
        depths.iter().map(|depth| (0..drawing.nodes.len()).filter(|node| drawing.nodes[*node].depth == *depth).collect()).collect();
    let mut neighbours: Vec<Vec<usize>> = vec![Vec::new(); drawing.nodes.len()];
    for edge in &drawing.edges {
        neighbours[edge.from].push(edge.to);
        neighbours[edge.to].push(edge.from);
    }
    // Where a node stands in its column, from 0 to 1,000, as columns differ in length.
    let mut rank = vec![0_usize; drawing.nodes.len()];
    for _ in 0..ROUNDS {
        for column in &mut columns {
            let length = column.len().max(1);
            let wish = |node: usize, index: usize| {
                let near = &neighbours[node];
                // What many wait for, such as a namespace, says little about where each of them stands.
                let weights: Vec<usize> = near.iter().map(|other| 10_000 / neighbours[*other].len().max(1)).collect();
                let sum: usize = near.iter().zip(&weights).map(|(other, weight)| rank[*other] * weight).sum();
                sum.checked_div(weights.iter().sum()).unwrap_or(index * 1000 / length)
            };
            let mut wishes: Vec<(usize, usize)> = column.iter().enumerate().map(|(index, node)| (wish(*node, index), *node)).collect();
            wishes.sort_unstable();
            *column = wishes.into_iter().map(|(_, node)| node).collect();
            for (index, node) in column.iter().enumerate() {
                rank[*node] = index * 1000 / length;
            }
        }
    }
    let mut places = vec![Place::default(); drawing.nodes.len()];
    let longest = columns.iter().map(Vec::len).max().unwrap_or(0);
    let mut x = MARGIN;
    for column in &columns {
        let width = column.iter().map(|node| drawing.nodes[*node].addr.chars().count()).max().unwrap_or(0) * CHARACTER + 24;
        // A short column is spread over the height of a long one.
        let room = longest * (HEIGHT + GAP) / column.len().max(1);
        for (index, node) in column.iter().enumerate() {
            places[*node] = Place { x, y: MARGIN + index * room + (room - HEIGHT - GAP) / 2, width };
        }
        x += width + BETWEEN;
    }
    (places, (x + MARGIN).saturating_sub(BETWEEN), 2 * MARGIN + longest * (HEIGHT + GAP))
}
