//! A page of its own: the graph as SVG, with a search, and with what a resource waits for lit up under the pointer. It fetches nothing.

use std::cmp::Ordering;
use std::fmt::Write as _;

use super::layout::{HEIGHT, places};
use super::{Drawing, Node};

pub(super) fn page(drawing: &Drawing) -> String {
    let (places, width, height) = places(drawing);
    let mut svg = format!("<svg width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" role=\"img\">\n");
    svg.push_str(
        "<defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\">\
         <path d=\"M0 0 8 4 0 8z\"/></marker></defs>\n<g>\n",
    );
    for edge in &drawing.edges {
        let (from, to) = (places[edge.from], places[edge.to]);
        let (y1, y2) = (from.y + HEIGHT / 2, to.y + HEIGHT / 2);
        let class = if edge.before == "ready" { "edge late" } else { "edge" };
        let path = match from.x.cmp(&to.x) {
            Ordering::Less => {
                let (x1, x2) = (from.x + from.width, to.x);
                let bend = (x2 - x1) / 2;
                format!("M{x1} {y1}C{} {y1} {} {y2} {x2} {y2}", x1 + bend, x2 - bend)
            }
            // Back to an earlier column, a little below the way there.
            Ordering::Greater => {
                let (x1, x2) = (from.x, to.x + to.width);
                let bend = (x1 - x2) / 2;
                format!("M{x1} {}C{} {} {} {} {x2} {}", y1 + 9, x1 - bend, y1 + 9, x2 + bend, y2 + 9, y2 + 9)
            }
            // Within a column: around the right-hand side.
            Ordering::Equal => {
                let (x1, x2) = (from.x + from.width, to.x + to.width);
                let out = x1.max(x2) + 46;
                format!("M{x1} {y1}C{out} {y1} {out} {y2} {x2} {y2}")
            }
        };
        let said = format!("{} is {} after {} is {}", drawing.nodes[edge.to].addr, edge.before, drawing.nodes[edge.from].addr, edge.what);
        let _ = writeln!(
            svg,
            "<path class=\"{class}\" data-from=\"{}\" data-to=\"{}\" d=\"{path}\" marker-end=\"url(#tip)\"><title>{}</title></path>",
            edge.from,
            edge.to,
            escaped(&said)
        );
    }
    for (index, (Node { addr, .. }, place)) in drawing.nodes.iter().zip(&places).enumerate() {
        let class = if addr.starts_with("acm_") || addr.starts_with("secretsmanager_") { "node aws" } else { "node" };
        let text = escaped(addr);
        let _ = writeln!(
            svg,
            "<g class=\"{class}\" data-node=\"{index}\" tabindex=\"0\"><rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{HEIGHT}\" rx=\"6\"/>\
             <text x=\"{}\" y=\"{}\">{text}</text></g>",
            place.x,
            place.y,
            place.width,
            place.x + 12,
            place.y + HEIGHT / 2 + 4
        );
    }
    svg.push_str("</g>\n</svg>\n");
    let title = escaped(&drawing.title);
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n\
         <title>{title}: what waits for what</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <header><h1>{title}</h1><input id=\"search\" type=\"search\" placeholder=\"Search {nodes} resources\" autocomplete=\"off\">\
         <p id=\"said\">Point at a resource: <b class=\"up\">what it waits for</b>, <b class=\"down\">what waits for it</b>. \
         Solid lines come before it is created, dashed ones before it is ready.</p></header>\n\
         <main>{svg}</main>\n<script>{SCRIPT}</script>\n</body>\n</html>\n",
        nodes = drawing.nodes.len(),
    )
}

const STYLE: &str = "
:root{color-scheme:light dark;--page:#fbfbfd;--ink:#1d2330;--dim:#5a6478;--line:#b3bccb;--box:#fff;--rim:#c3cbd9;--aws:#fff4e2;--up:#1667c4;--down:#b3541e}
@media(prefers-color-scheme:dark){:root{--page:#14171d;--ink:#e4e8f0;--dim:#98a2b5;--line:#4a5466;--box:#1e232c;--rim:#3a4453;--aws:#2c2519;--up:#6db3ff;--down:#ffa269}}
body{margin:0;background:var(--page);color:var(--ink);font:14px/1.5 system-ui,sans-serif}
header{position:sticky;top:0;left:0;display:flex;flex-wrap:wrap;gap:4px 20px;align-items:center;padding:10px 24px;background:var(--page);border-bottom:1px solid var(--rim);z-index:1}
h1{font-size:16px;margin:0}p{margin:0;color:var(--dim)}.up{color:var(--up)}.down{color:var(--down)}
input{font:inherit;width:16em;padding:4px 10px;border:1px solid var(--rim);border-radius:6px;background:var(--box);color:inherit}
main{overflow:auto}svg{display:block}
.node rect{fill:var(--box);stroke:var(--rim)}.node.aws rect{fill:var(--aws)}
.node text{fill:var(--ink);font:12.5px ui-monospace,monospace}.node{cursor:default;outline:none}
.edge{fill:none;stroke:var(--line);stroke-width:1.3}.late{stroke-dasharray:5 4}marker path{fill:var(--line)}
.lit .node,.lit .edge{opacity:.18}
.lit .node.self,.lit .node.up,.lit .node.down,.lit .edge.up,.lit .edge.down,.lit .node.hit{opacity:1}
.self rect{stroke:var(--ink);stroke-width:2}.node.up rect{stroke:var(--up);stroke-width:2}.node.down rect{stroke:var(--down);stroke-width:2}
.node.hit rect{stroke:var(--ink);stroke-width:2}.edge.up{stroke:var(--up);stroke-width:2}.edge.down{stroke:var(--down);stroke-width:2}
";

/// Lights up what a resource waits for and what waits for it, all the way; and what the search finds.
const SCRIPT: &str = "
const all=s=>[...document.querySelectorAll(s)],svg=document.querySelector('svg'),search=document.getElementById('search');
const nodes=all('.node'),edges=all('.edge'),word=n=>n.textContent.toLowerCase();
let pinned=null;
function clear(){svg.classList.remove('lit');[...nodes,...edges].forEach(e=>e.classList.remove('self','up','down','hit'))}
function walk(start,from,to,name){const seen=new Set([start]),open=[start];while(open.length){const at=open.pop();for(const e of edges)if(e.dataset[from]===at){e.classList.add(name);const next=e.dataset[to];if(!seen.has(next)){seen.add(next);open.push(next);nodes[next].classList.add(name)}}}}
function show(n){clear();svg.classList.add('lit');walk(n.dataset.node,'from','to','down');walk(n.dataset.node,'to','from','up');n.classList.add('self')}
function find(){clear();const q=search.value.trim().toLowerCase();if(!q)return;svg.classList.add('lit');const hits=nodes.filter(n=>word(n).includes(q));hits.forEach(n=>n.classList.add('hit'));if(hits.length===1)show(hits[0]);if(hits.length)hits[0].scrollIntoView({block:'center',inline:'center'})}
function rest(){pinned?show(pinned):find()}
nodes.forEach(n=>{n.addEventListener('pointerenter',()=>show(n));n.addEventListener('pointerleave',rest);n.addEventListener('focus',()=>show(n));n.addEventListener('click',()=>{pinned=pinned===n?null:n;rest()})});
search.addEventListener('input',()=>{pinned=null;find()});
";

/// A text as HTML shows it.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}
