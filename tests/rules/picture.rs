//! The picture of a request's life in the README, drawn from the rules.

use std::collections::BTreeMap;
use std::fmt::Write;

use mutator_governance::Status;
use mutator_governance::workflow::can_transition;

const STYLE: &str = "text{font:15px system-ui,sans-serif;text-anchor:middle;fill:#1f2937}\
    rect{fill:#eef2ff;stroke:#4f46e5;stroke-width:1.5}.final rect{fill:#f3f4f6;stroke:#6b7280}\
    path{fill:none;stroke:#6b7280;stroke-width:1.5}marker path{fill:#6b7280;stroke:none}\
    @media(prefers-color-scheme:dark){text{fill:#e5e7eb}rect{fill:#312e81;stroke:#a5b4fc}\
    .final rect{fill:#374151;stroke:#9ca3af}path{stroke:#9ca3af}marker path{fill:#9ca3af}}";

/// Between the middles of the boxes of what can still change.
const OPEN_GAP: i32 = 260;

/// Statuses that are reached from the same ones share a box.
struct Shape {
    statuses: Vec<Status>,
    from: Vec<Status>,
    x: i32,
    y: i32,
}

impl Shape {
    fn is_final(&self) -> bool {
        self.statuses.iter().all(|status| status.is_terminal())
    }

    fn label(&self) -> String {
        let names: Vec<_> = self.statuses.iter().map(|status| status.as_str()).collect();
        names.join(" · ")
    }

    fn half_width(&self) -> i32 {
        i32::try_from(self.label().chars().count()).unwrap() * 9 / 2 + 14
    }
}

/// What can still change stands in a row, and what is final below it, in the order of the statuses they come from.
fn shapes() -> Vec<Shape> {
    let sources = |to: Status| Status::ALL.into_iter().filter(|from| can_transition(*from, to)).collect::<Vec<_>>();
    let open = Status::ALL.into_iter().filter(|status| !status.is_terminal());
    let mut shapes: Vec<Shape> = (0..)
        .zip(open)
        .map(|(place, status)| Shape {
            statuses: vec![status],
            from: sources(status),
            x: 110 + place * OPEN_GAP,
            y: 70,
        })
        .collect();
    let mut ends: BTreeMap<Vec<Status>, Vec<Status>> = BTreeMap::new();
    for status in Status::ALL.into_iter().filter(|status| status.is_terminal()) {
        ends.entry(sources(status)).or_default().push(status);
    }
    let ends = ends.into_iter().zip(0..);
    shapes.extend(ends.map(|((from, statuses), place)| Shape { statuses, from, x: 110 + place * 180, y: 220 }));
    shapes
}

/// Neighbours have a line for each direction, and what lies between others is passed above. From above, each end has a
/// place of its own on the box.
fn arrow(from: &Shape, to: &Shape) -> String {
    if from.y == to.y && (from.x - to.x).abs() > OPEN_GAP {
        let (y, top) = (from.y - 20, from.y - 60);
        return format!("M{} {y}C{} {top} {} {top} {} {y}", from.x, from.x + 90, to.x - 90, to.x);
    }
    if from.y == to.y {
        let (side, lane) = if from.x < to.x { (1, -7) } else { (-1, 7) };
        let (start, end) = (from.x + side * from.half_width(), to.x - side * (to.half_width() + 2));
        return format!("M{start} {}H{end}", from.y + lane);
    }
    let (start, end) = (from.x + (to.x - from.x) / 12, to.x - (to.x - from.x) / 12);
    format!("M{start} {}L{end} {}", from.y + 18, to.y - 21)
}

fn picture() -> String {
    let shapes = shapes();
    let mut svg = String::from(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 760 260\" width=\"760\" height=\"260\" role=\"img\">\n\
         <title>The life of a mutation request</title>\n",
    );
    writeln!(svg, "<style>{STYLE}</style>").unwrap();
    svg += "<marker id=\"tip\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" markerWidth=\"7\" markerHeight=\"7\" \
            orient=\"auto\"><path d=\"M0 0L10 5L0 10z\"/></marker>\n";
    for to in &shapes {
        for from in shapes.iter().filter(|from| from.statuses.iter().any(|status| to.from.contains(status))) {
            writeln!(svg, "<path marker-end=\"url(#tip)\" d=\"{}\"/>", arrow(from, to)).unwrap();
        }
    }
    for shape in &shapes {
        let (half, class) = (shape.half_width(), if shape.is_final() { "final" } else { "open" });
        writeln!(
            svg,
            "<g class=\"{class}\"><rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"36\" rx=\"8\"/><text x=\"{}\" y=\"{}\">{}</text></g>",
            shape.x - half, shape.y - 18, 2 * half, shape.x, shape.y + 5, shape.label()
        )
        .unwrap();
    }
    svg + "</svg>\n"
}

#[test]
fn the_picture_of_a_request_s_life_shows_the_rules() {
    let path = common::repository().join("docs/lifecycle.svg");
    let drawn = picture();
    if std::env::var_os("MUTATOR_WRITE_PICTURE").is_some() {
        std::fs::write(&path, &drawn).unwrap();
    }
    let stored = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(stored == drawn, "docs/lifecycle.svg is not what the rules draw; MUTATOR_WRITE_PICTURE=1 draws it anew");
}
