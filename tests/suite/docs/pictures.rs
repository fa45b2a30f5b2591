//! The pictures of a terminal in docs/ are what the program prints, and are drawn anew with `UPDATE_DOCS=1`.

use std::fs;
use std::path::Path;

use anstyle::RgbColor;
use anstyle_svg::WIN10_CONSOLE;
use kubectl_rca::analyse;
use kubectl_rca::collect::capture;
use kubectl_rca::collect::plan::Keep;
use kubectl_rca::policy::Policy;
use kubectl_rca::recommend::limits::order::Order;
use kubectl_rca::recommend::limits::wanted::Wanted;
use kubectl_rca::render::{self, Look};

use crate::support::Place;

const LOOK: Look = Look { width: 100, color: true, wide: false, unicode: true };

fn demo() -> kubectl_rca::model::Snapshot {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("demo/shop.rca");
    capture::read("the demo", &fs::read(path).unwrap(), Keep::default()).unwrap()
}

/// Draws what was printed, in the frame of a dark terminal, below the command that printed it.
fn draw(command: &str, printed: &str) -> String {
    let text = format!("\u{1b}[2m$\u{1b}[0m \u{1b}[1m{command}\u{1b}[0m\n{printed}");
    let term = anstyle_svg::Term::new().palette(WIN10_CONSOLE).min_width_px(860);
    let svg = term.fg_color(RgbColor(213, 217, 224).into()).bg_color(RgbColor(18, 22, 28).into()).render_svg(&text);
    // What is dim is to be read all the same.
    svg.replace("opacity: 0.4", "opacity: 0.65")
}

fn assert_picture(name: &str, svg: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&file, svg).unwrap();
    }
    let current = fs::read_to_string(&file).unwrap_or_default();
    assert!(current == svg, "docs/{name} is stale: run `UPDATE_DOCS=1 cargo test --test all pictures`");
}

fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

fn printed(line: &str) -> String {
    Place::new().var("COLUMNS", "100").var("LC_ALL", "C.UTF-8").rca(line).ok().to_owned()
}

#[test]
fn the_picture_of_the_demo_is_what_the_demo_prints() {
    let report = analyse::analyse(&demo(), &Policy::default());
    let text = render::text::render(&report, &LOOK);
    assert!(printed("demo").starts_with(&plain(&text)), "the program prints something else");
    assert_picture("demo.svg", &draw("kubectl rca namespace shop", &text));
}

#[test]
fn the_picture_of_limits_is_what_limits_prints() {
    let limits = analyse::limits(&demo(), &Wanted::default(), Order::Risk).unwrap();
    let text = render::text::limits::render(&limits, &LOOK);
    let capture = Path::new(env!("CARGO_MANIFEST_DIR")).join("demo/shop.rca");
    assert_eq!(printed(&format!("limits --from {}", capture.display())), plain(&text));
    assert_picture("limits.svg", &draw("kubectl rca limits -n shop", &text));
}
